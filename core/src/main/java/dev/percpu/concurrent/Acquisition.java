package dev.percpu.concurrent;

import java.lang.System.Logger;
import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/**
 * One holder's time with a pool's object, in checked mode. The handle that the holder gets is its own, so that it
 * throws after its release whoever has the object by then; and if it is collected without a release, that is logged.
 *
 * <p>Nothing here refers to that handle, or it would never be collected.
 */
final class Acquisition<T> implements Runnable {
    /** It logs in a thread of its own, which goes on whatever a logger throws. */
    private static final class Watch {
        private static final Cleaner CLEANER = Cleaner.create();
    }

    /** The handle that the pool keeps for the object. */
    final Pooled<T> place;

    private final Throwable acquired = new Throwable("acquired here by " + Thread.currentThread());
    private @Nullable Throwable released;
    private Cleaner.@Nullable Cleanable watch;
    private volatile boolean ended;

    private Acquisition(Pooled<T> place) {
        this.place = place;
    }

    /** Begins a holder's time, and makes the holder's handle. */
    static <T> Pooled<T> begin(Pooled<T> place) {
        Acquisition<T> acquisition = new Acquisition<>(place);
        Pooled<T> handle = new Pooled<>(acquisition);
        acquisition.watch = Watch.CLEANER.register(handle, acquisition);
        place.acquisition = acquisition;
        return handle;
    }

    /** Ends it. */
    void end() {
        released = new Throwable("released here by " + Thread.currentThread());
        ended = true;
        if (watch != null) {
            watch.clean();
        }
    }

    /** Whether this is the object's present holder. */
    boolean isCurrent() {
        return !ended && place.acquisition == this;
    }

    /** Says in an exception where the object was acquired, and where it was released. */
    <E extends Throwable> E explain(E failure) {
        failure.addSuppressed(acquired);
        if (released != null) {
            failure.addSuppressed(released);
        }
        return failure;
    }

    /** The handle cannot be reached any more. */
    @Override
    public void run() {
        if (!ended) {
            System.getLogger("dev.percpu")
                    .log(
                            Logger.Level.WARNING,
                            "the handle of " + place + " was lost: whoever acquired it never released it, and its place"
                                    + " in the pool stays taken. Close each handle, best by try-with-resources",
                            acquired);
        }
    }
}
