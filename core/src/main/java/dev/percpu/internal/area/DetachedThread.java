package dev.percpu.internal.area;

import static java.lang.invoke.MethodHandles.catchException;
import static java.lang.invoke.MethodHandles.collectArguments;
import static java.lang.invoke.MethodHandles.constant;
import static java.lang.invoke.MethodHandles.dropArguments;
import static java.lang.invoke.MethodHandles.filterArguments;
import static java.lang.invoke.MethodHandles.foldArguments;
import static java.lang.invoke.MethodHandles.publicLookup;
import static java.lang.invoke.MethodHandles.whileLoop;
import static java.lang.invoke.MethodType.methodType;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.ToLongFunction;

/**
 * A thread that hands references from a queue to a handler until nobody has the handler any more.
 *
 * <p>A running thread keeps the class of its code alive, and so the class loader, and so all that the loader has ever
 * loaded: a web application that brings this library along could never be unloaded. So this thread's code is put
 * together from method handles, and what it refers to are classes of the JDK alone. The handler it has weakly. When the
 * collector clears that reference, it is queued as the others are, and the thread ends.
 *
 * <p>Refused: a thread that ends when it has had nothing to do for a while. Whoever needs it must start it again, which
 * fails where no thread can be started, and it keeps the loader until then. Refused: {@link java.lang.ref.Cleaner},
 * whose thread refers to each action, so that a static field with a variable would keep its own loader alive.
 */
final class DetachedThread {
    private DetachedThread() {}

    /** Waits for ever. */
    private static final long FOREVER = 0;

    /** What a step that failed waits for the next reference, in milliseconds. */
    private static final long AFTER_FAILURE = 1_000;

    /**
     * Starts it.
     *
     * @param handler is given each reference, or null if none came for as long as it last returned, in milliseconds; 0
     *     is for ever
     * @param atEnd what the thread does when the handler is gone
     */
    static void start(
            String name,
            ReferenceQueue<Object> queue,
            ToLongFunction<? super Reference<?>> handler,
            MethodHandle atEnd) {
        Runnable code = MethodHandleProxies.asInterfaceInstance(Runnable.class, code(queue, handler, atEnd));
        Thread thread = Thread.ofPlatform()
                .name(name)
                .daemon()
                .inheritInheritableThreadLocals(false)
                .unstarted(code);
        // Whoever made the first variable would be kept by it.
        thread.setContextClassLoader(null);
        thread.start();
    }

    /**
     * This, without a class for it.
     *
     * <pre>{@code
     * long timeout = FOREVER;
     * while (handler.get() != null) {
     *     try {
     *         timeout = handler.get().applyAsLong(queue.remove(timeout));
     *     } catch (Throwable t) {
     *         timeout = AFTER_FAILURE;
     *     }
     * }
     * atEnd();
     * }</pre>
     *
     * <p>The order matters in the middle line: while the thread waits for a reference it must not have the handler on
     * its stack. That {@code get} can return null there after it did not before only makes one more failure.
     */
    private static MethodHandle code(
            ReferenceQueue<Object> queue, ToLongFunction<? super Reference<?>> handler, MethodHandle atEnd) {
        try {
            var weak = new WeakReference<Object>(handler, queue);
            MethodHandle get = publicLookup()
                    .findVirtual(Reference.class, "get", methodType(Object.class))
                    .bindTo(weak);
            MethodHandle remove = publicLookup()
                    .findVirtual(ReferenceQueue.class, "remove", methodType(Reference.class, long.class))
                    .bindTo(queue);
            MethodHandle apply = publicLookup()
                    .findVirtual(ToLongFunction.class, "applyAsLong", methodType(long.class, Object.class))
                    .asType(methodType(long.class, Object.class, Reference.class));
            // (reference) -> handler.get().applyAsLong(reference), and before it (timeout) -> queue.remove(timeout)
            MethodHandle step =
                    filterArguments(foldArguments(apply, dropArguments(get, 0, Reference.class)), 0, remove);
            MethodHandle failed = dropArguments(constant(long.class, AFTER_FAILURE), 0, Throwable.class);
            MethodHandle exists = collectArguments(notNull(), 0, get);
            MethodHandle loop =
                    whileLoop(constant(long.class, FOREVER), exists, catchException(step, Throwable.class, failed));
            MethodHandle loopOnly = loop.asType(methodType(void.class));
            return foldArguments(atEnd.asType(methodType(void.class)), loopOnly);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("the JDK's classes have other methods", e);
        }
    }

    /** {@code (object) -> object != null}. */
    private static MethodHandle notNull() throws ReflectiveOperationException {
        return publicLookup().findStatic(java.util.Objects.class, "nonNull", methodType(boolean.class, Object.class));
    }

    /** What calls the function that is there when it is called: one without arguments or result. */
    static MethodHandle later(AtomicReference<MethodHandle> function) {
        try {
            MethodHandle get = publicLookup()
                    .findVirtual(AtomicReference.class, "get", methodType(Object.class))
                    .bindTo(function)
                    .asType(methodType(MethodHandle.class));
            return collectArguments(MethodHandles.exactInvoker(methodType(void.class)), 0, get);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("the JDK's classes have other methods", e);
        }
    }

    /** A function that does nothing. */
    static MethodHandle nothing() {
        return MethodHandles.empty(methodType(void.class));
    }
}
