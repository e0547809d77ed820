package dev.percpu.concurrent;

import dev.percpu.internal.failure.Log;
import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/**
 * One acquisition of a pool's object, in checked mode. Its holder gets a handle of its own. That handle throws after
 * its release, even if somebody else has acquired the object since. If the garbage collector finds it unreleased, a
 * warning is logged.
 *
 * <p>This class must not refer to that handle, or it would never be collected.
 */
final class Acquisition<T> implements Runnable {
    /** Its thread does the logging, and survives whatever a logger throws. */
    private static final class Watch {
        private static final Cleaner CLEANER = Cleaner.create();
    }

    /** The handle that the pool keeps for the object. */
    final Pooled<T> entry;

    private final Throwable acquired = new Throwable("acquired here by " + Thread.currentThread());
    private @Nullable Throwable released;
    private Cleaner.@Nullable Cleanable watch;
    private volatile boolean ended;

    private Acquisition(Pooled<T> entry) {
        this.entry = entry;
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
            acquisition.watch = Watch.CLEANER.register(handle, acquisition);
        }
        entry.acquisition = acquisition;
        return handle;
    }

    /** Forces the cleaner to exist: its thread cannot be started when the heap is full. */
    static void initialize() {
        Cleaner _ = Watch.CLEANER;
    }

    /** Ends it. Ending it again does nothing. */
    void end() {
        if (ended) {
            return;
        }
        // First, as the next step can fail, and somebody else may have the object by now.
        ended = true;
        released = new Throwable("released here by " + Thread.currentThread());
        if (watch != null) {
            watch.clean();
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

    /** The cleaner calls this when the handle is unreachable or {@link #end} has come first. */
    @Override
    public void run() {
        if (!ended) {
            Log.warn(
                    "the handle of object " + entry.id + " of " + entry.pool
                            + " was lost: it was acquired and never released, so its entry in the"
                            + " pool stays taken. Close each handle, best by try-with-resources",
                    acquired);
        }
    }
}
