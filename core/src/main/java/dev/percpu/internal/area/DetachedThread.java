package dev.percpu.internal.area;

import static java.lang.invoke.MethodHandles.catchException;
import static java.lang.invoke.MethodHandles.collectArguments;
import static java.lang.invoke.MethodHandles.constant;
import static java.lang.invoke.MethodHandles.dropArguments;
import static java.lang.invoke.MethodHandles.filterArguments;
import static java.lang.invoke.MethodHandles.filterReturnValue;
import static java.lang.invoke.MethodHandles.foldArguments;
import static java.lang.invoke.MethodHandles.identity;
import static java.lang.invoke.MethodHandles.insertArguments;
import static java.lang.invoke.MethodHandles.publicLookup;
import static java.lang.invoke.MethodHandles.whileLoop;
import static java.lang.invoke.MethodType.methodType;

import dev.percpu.internal.failure.RootGroup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.ToLongFunction;

/**
 * A thread that passes references from a queue to a handler until the handler is unreachable.
 *
 * <p>A running thread keeps the class of its code alive, hence the class loader, hence everything that the loader has
 * ever loaded. A web application that contains this library could never be unloaded. So this thread's code is composed
 * of method handles, and refers only to classes of the JDK. It holds the handler weakly. When the garbage collector
 * clears that reference, the reference is queued like the others, and the thread ends.
 *
 * <p>Rejected: a thread that ends when it has had nothing to do for a while. Whoever needs it next must start it again,
 * which fails where no thread can be started; and until it ends it keeps the loader alive. Rejected: {@link
 * java.lang.ref.Cleaner}. Its thread refers to each action, so a static field with a variable would keep its own
 * loader alive.
 */
public final class DetachedThread implements Thread.UncaughtExceptionHandler {
    private DetachedThread() {}

    /**
     * Ignores why a thread could not begin: whoever started it finds that it has ended. The thread refers to this
     * object only until it has begun. The object is no method handle, as that would need heap when it is first called,
     * and the JVM prints what a handler throws. And it has no class of its own: when the thread is started, the
     * library's class loader may be closed already, and load no class any more.
     */
    @Override
    public void uncaughtException(Thread thread, Throwable refused) {}

    /** A timeout of 0: wait for ever. */
    public static final long FOREVER = 0;

    /** How long the thread waits for the next reference after a step that failed, in milliseconds. */
    private static final long AFTER_FAILURE = 1_000;

    /** How long it waits before it first calls the handler, in milliseconds. */
    private static final long FIRST = 1;

    /** How long {@link #start} waits until the thread has begun: longer than a garbage collection of a full heap. */
    private static final long BEGIN_TIMEOUT = TimeUnit.MINUTES.toNanos(1);

    /** The pause between two looks whether it has begun. */
    private static final long BEGIN_POLL = TimeUnit.MICROSECONDS.toNanos(100);

    /**
     * Starts the thread, and waits until its first step is over, a minute at most. In that step, in the
     * thread itself, the JDK makes the classes of its code. If the heap is full then, the thread ends. It must not do
     * so unnoticed.
     *
     * @param handler receives each reference, or null if none came within the milliseconds that it returned last. It
     *     is called first after a millisecond at most. If making classes fails then, that reference is lost
     * @param atEnd what the thread does once the handler is gone
     * @throws OutOfMemoryError if the thread could not begin; then another one can be started
     */
    public static void start(
            String name,
            ReferenceQueue<Object> queue,
            ToLongFunction<? super Reference<?>> handler,
            MethodHandle atEnd) {
        AtomicBoolean begun = new AtomicBoolean();
        Thread thread = create(
                name, MethodHandleProxies.asInterfaceInstance(Runnable.class, code(queue, handler, atEnd, begun)));
        // Otherwise the JVM prints why it could not begin.
        thread.setUncaughtExceptionHandler(new DetachedThread());
        thread.start();
        await(begun, thread);
        thread.setUncaughtExceptionHandler(null);
    }

    /**
     * The wait has a limit, as the handler may log, and a user's logger may wait for a lock that the caller has. A
     * thread that is in its handler by then has made its classes.
     */
    private static void await(AtomicBoolean begun, Thread thread) {
        long start = System.nanoTime();
        boolean interrupted = false;
        try {
            while (!begun.get()) {
                if (!thread.isAlive() && !begun.get()) {
                    throw new OutOfMemoryError("the thread " + thread.getName() + " ended before it had begun");
                }
                if (System.nanoTime() - start > BEGIN_TIMEOUT) {
                    return;
                }
                // An interrupted thread would not park.
                interrupted |= Thread.interrupted();
                LockSupport.parkNanos(BEGIN_POLL);
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Starts a thread that keeps nothing alive but its code. */
    static void start(String name, Runnable code) {
        create(name, code).start();
    }

    private static Thread create(String name, Runnable code) {
        // The thread does not inherit the creator's thread locals. So its context class loader is the system's, and it
        // does not keep the creator of the first variable alive.
        Thread thread = new Thread(RootGroup.get(), code, name, 0, false);
        thread.setDaemon(true);
        return thread;
    }

    /**
     * The following code, without a class for it.
     *
     * <pre>{@code
     * long timeout = FIRST;
     * while (handler.get() != null) {
     *     try {
     *         timeout = handler.get().applyAsLong(queue.remove(timeout));
     *     } catch (Throwable t) {
     *         timeout = AFTER_FAILURE;
     *     }
     *     begun.set(true);
     * }
     * atEnd();
     * }</pre>
     *
     * <p>In the middle line, the order of the calls matters: while the thread waits for a reference, it must not have
     * the handler on its stack. If {@code get} returns null there although it did not before, that is only one
     * more failure.
     */
    private static MethodHandle code(
            ReferenceQueue<Object> queue,
            ToLongFunction<? super Reference<?>> handler,
            MethodHandle atEnd,
            AtomicBoolean begun) {
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
            // (reference) -> handler.get().applyAsLong(reference), preceded by (timeout) -> queue.remove(timeout)
            MethodHandle step =
                    filterArguments(foldArguments(apply, dropArguments(get, 0, Reference.class)), 0, remove);
            MethodHandle set =
                    publicLookup().findVirtual(AtomicBoolean.class, "set", methodType(void.class, boolean.class));
            MethodHandle failed = dropArguments(constant(long.class, AFTER_FAILURE), 0, Throwable.class, long.class);
            rehearse(failed);
            MethodHandle exists = collectArguments(notNull(), 0, get);
            MethodHandle noted = filterReturnValue(
                    catchException(step, Throwable.class, failed),
                    foldArguments(
                            identity(long.class), dropArguments(insertArguments(set, 0, begun, true), 0, long.class)));
            MethodHandle loop = whileLoop(constant(long.class, FIRST), exists, noted);
            MethodHandle loopOnly = loop.asType(methodType(void.class));
            return foldArguments(atEnd.asType(methodType(void.class)), loopOnly);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("the JDK's classes have other methods", e);
        }
    }

    /** This is first called after a failure, perhaps because the heap was full. So it must not need memory. */
    private static void rehearse(MethodHandle failed) {
        try {
            long _ = (long) failed.invokeExact((Throwable) null, FIRST);
        } catch (Error e) {
            throw e;
        } catch (Throwable t) {
            throw new AssertionError("it only returns a constant", t);
        }
    }

    /** {@code (object) -> object != null}. */
    private static MethodHandle notNull() throws ReflectiveOperationException {
        return publicLookup().findStatic(java.util.Objects.class, "nonNull", methodType(boolean.class, Object.class));
    }

    /** A function that does nothing. */
    public static MethodHandle nothing() {
        return MethodHandles.empty(methodType(void.class));
    }
}
