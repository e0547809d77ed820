package dev.percpu.concurrent;

import dev.percpu.internal.area.DetachedThread;
import dev.percpu.internal.failure.Log;
import dev.percpu.internal.guard.Reports;
import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * One acquisition of a pool's object, in checked mode. Its holder gets a handle of its own. That handle throws after
 * its release, even if somebody else has acquired the object since. If the garbage collector finds it unreleased, a
 * warning is logged, unless the pool is unreachable too.
 *
 * <p>This class must not refer to that handle, or it would never be collected.
 */
final class Acquisition<T> {
    /** How a thread is described. Tests have another one, which fails, or does something else first. */
    static Describer describer = new Describer();

    private static boolean watched;

    /** The handle that the pool keeps for the object. */
    final Pooled<T> entry;

    private final Throwable acquired = new Throwable("acquired here by " + thisThread());
    private @Nullable Throwable released;
    private @Nullable Watch watch;
    private volatile boolean ended;

    private Acquisition(Pooled<T> entry) {
        this.entry = entry;
    }

    static class Describer {
        /** Does not call the thread's {@code toString}, which is the user's code: it could throw, or wait. */
        String describe(Thread thread) {
            return Reports.describe(thread);
        }
    }

    /**
     * Tells whether a handle is still reachable. Only the pool refers to a watch, by the acquisition. A static list of
     * watches would keep the pools and their objects alive. If an object led to its handle, as by a static field of its
     * class, neither could ever be collected.
     */
    private static final class Watch extends PhantomReference<Object> {
        private static final ReferenceQueue<Object> LOST = new ReferenceQueue<>();

        /** The thread holds this weakly. */
        private static final Logging LOGGING = new Logging();

        private final Acquisition<?> acquisition;

        private Watch(Pooled<?> handle, Acquisition<?> acquisition) {
            super(handle, LOST);
            this.acquisition = acquisition;
        }
    }

    /** A class and not a lambda: if the heap is full when the JVM links a lambda, it may never try again. */
    private static final class Logging implements ToLongFunction<Reference<?>> {
        @Override
        public long applyAsLong(@Nullable Reference<?> lost) {
            if (lost instanceof Watch watch) {
                watch.acquisition.logIfLost();
            }
            return DetachedThread.FOREVER;
        }
    }

    /**
     * Begins an acquisition, and makes its handle.
     *
     * @param warnIfLost whether to warn if the handle is collected unreleased
     */
    static <T> Pooled<T> begin(Pooled<T> entry, boolean warnIfLost) {
        Acquisition<T> acquisition = new Acquisition<>(entry);
        Pooled<T> handle = new Pooled<>(acquisition);
        if (warnIfLost) {
            acquisition.watch = new Watch(handle, acquisition);
        }
        entry.acquisition = acquisition;
        return handle;
    }

    /**
     * Starts the thread that logs lost handles: in the first acquisition, the heap may be too full for it. A logger may
     * throw, and the thread goes on.
     */
    static synchronized void initialize() {
        if (!watched) {
            DetachedThread.start("percpu-lost-handles", Watch.LOST, Watch.LOGGING, DetachedThread.nothing());
            watched = true;
        }
    }

    private static String thisThread() {
        return describer.describe(Thread.currentThread());
    }

    /** Ends it. Ending it again does nothing. */
    void end() {
        if (ended) {
            return;
        }
        // First, as the next step can fail, and somebody else may have the object by now.
        ended = true;
        released = new Throwable("released here by " + thisThread());
        if (watch != null) {
            watch.clear();
        }
    }

    /** Whether the object is held by this acquisition. */
    boolean isCurrent() {
        return !ended && entry.acquisition == this;
    }

    /** Whether it has ended because its holder discarded the object. */
    boolean endedByDiscard() {
        return ended && entry.acquisition == this && entry.discarded;
    }

    /** Adds to an exception where the object was acquired, and where it was released. */
    <E extends Throwable> E explain(E failure) {
        failure.addSuppressed(acquired);
        if (released != null) {
            failure.addSuppressed(released);
        }
        return failure;
    }

    private void logIfLost() {
        if (!ended) {
            Log.warn(
                    "the handle of object " + entry.id + " of " + entry.pool
                            + " was lost: it was acquired and never released, so its entry in the"
                            + " pool stays taken. Close each handle, best by try-with-resources",
                    acquired);
        }
    }
}
