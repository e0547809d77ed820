package dev.percpu.internal.area;

import java.lang.System.Logger;
import java.lang.invoke.MethodHandle;
import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Pieces that are given back when the objects that hold them have become unreachable, each once, by a thread
 * of its own.
 *
 * <p>A {@link java.lang.ref.Cleaner} does the same in 72 bytes for each, which would be most of what a counter takes on
 * the heap: each has a reference and an action, which are two objects. Here it is one of 40, and a place in an array.
 * (Links from one to the next would make the collector walk a chain of all pieces one by one.)
 *
 * <p>No piece is lost. Giving one back can fail, out of memory say. Then it stays in the list of those that are due,
 * and is tried again ten times a second, and when another one is due.
 */
final class Holdings {
    /** What is done with a piece whose holder is gone. If it throws, it has done nothing, and is called again. */
    @FunctionalInterface
    interface Return {
        void give(long position, long bytes);
    }

    private static final int FIRST_LENGTH = 64;

    /** For the reclaiming thread: no timeout. */
    private static final long FOREVER = 0;

    private static final long RETRY_MILLIS = 100;

    private static final int NOWHERE = -1;

    private final ReferenceQueue<Object> unreachable = new ReferenceQueue<>();
    private final Return giver;
    private final MethodHandle atEnd;

    /** The thread has this weakly, and ends with it. */
    private final ToLongFunction<Reference<?>> handler = this::handle;

    private volatile boolean started;

    /**
     * Those that are due to be given back, and behind them those whose holders are still there. (A reference that is
     * unreachable itself is never queued.) Guarded by this object's lock, and so are the fields of each.
     */
    private @Nullable Holding[] all = new Holding[FIRST_LENGTH];

    /** How many are due. Guarded by this object's lock. */
    private int dueCount;

    /** How many there are. Guarded by this object's lock. */
    private int count;

    /** The bytes of all of them. Guarded by this object's lock. */
    private long bytes;

    /** One thread at a time gives pieces back. This lock comes before that of this object. */
    private final Object giving = new Object();

    /** Of a series of failures the thread logs the first. Guarded by {@link #giving}. */
    private boolean logged;

    Holdings(Return giver) {
        this(giver, DetachedThread.nothing());
    }

    /** @param atEnd what the thread does when this object, and so all that its class loader has loaded, is gone */
    Holdings(Return giver, MethodHandle atEnd) {
        this.giver = giver;
        this.atEnd = atEnd;
        startIfNotStarted();
    }

    /** A piece and its holder. */
    static final class Holding extends PhantomReference<Object> {
        private int position;

        /** Negative once the piece is given back. */
        private int bytes;

        /** Where it is in the array; {@link #NOWHERE} once it is done with. */
        private int index;

        private Holding(Object holder, ReferenceQueue<Object> queue) {
            super(holder, queue);
        }

        int position() {
            return position;
        }
    }

    /**
     * Promises to give back what {@link #hold} will name, once the holder is unreachable. It comes before the piece is
     * taken, so that nothing has to be allocated when it is.
     */
    Holding prepare(Object holder) {
        startIfNotStarted();
        synchronized (this) {
            if (count == all.length) {
                // By half, as a list does: with twice, empty places would be most of what a counter takes here.
                all = Arrays.copyOf(all, count + (count >> 1));
            }
            Holding holding = new Holding(holder, unreachable);
            holding.index = count;
            all[count] = holding;
            count++;
            return holding;
        }
    }

    /** Names the piece. */
    synchronized void hold(Holding holding, long position, long size) {
        holding.position = (int) position;
        holding.bytes = (int) size;
        bytes += size;
    }

    /** Has a piece given back once the holder is unreachable. */
    Holding add(Object holder, int position, int size) {
        Holding holding = prepare(holder);
        hold(holding, position, size);
        return holding;
    }

    /** Gives a piece back now. Nobody can reach it any more, though somebody may still reach the holder. */
    void giveBack(Holding holding) {
        Throwable _ = giveBackAll(holding);
        // It would do no harm if the collector queued it all the same; but it need not look at it any more.
        holding.clear();
    }

    /** How many bytes have a holder, or had one and are not given back yet. */
    synchronized long bytes() {
        return bytes;
    }

    /** Becomes unreachable at once, and tells when the collector has announced that. */
    static final class Sentinel extends PhantomReference<Object> {
        private volatile boolean announced;

        private Sentinel(ReferenceQueue<Object> queue) {
            super(new Object(), queue);
        }

        boolean isAnnounced() {
            return announced;
        }
    }

    Sentinel sentinel() {
        return new Sentinel(unreachable);
    }

    /**
     * Waits for a piece whose holder is unreachable, and gives it back, beside the thread that does so anyway. What
     * could not be given back is for that thread to log, as the caller may have a lock.
     *
     * @return false if none came in time
     */
    boolean awaitReturn(long millis) throws InterruptedException {
        Reference<?> reference = unreachable.remove(millis);
        Throwable _ = giveBack(reference);
        return reference != null;
    }

    /** Gives back a piece, and those that could not be; returns how many milliseconds to wait for the next. */
    private long handle(@Nullable Reference<?> reference) {
        Throwable failure = giveBack(reference);
        boolean isFirst;
        synchronized (giving) {
            isFirst = failure != null && !logged;
            logged = failure != null;
        }
        if (isFirst) {
            log(failure);
        }
        synchronized (this) {
            return dueCount == 0 ? FOREVER : RETRY_MILLIS;
        }
    }

    private @Nullable Throwable giveBack(@Nullable Reference<?> reference) {
        if (reference instanceof Sentinel sentinel) {
            sentinel.announced = true;
        }
        return giveBackAll(reference instanceof Holding holding ? holding : null);
    }

    /**
     * Gives back one more, and everything that is due, and stops when two could not be, as then the others cannot be
     * either, most likely.
     *
     * @return what the last one that could not be threw
     */
    private @Nullable Throwable giveBackAll(@Nullable Holding oneMore) {
        synchronized (giving) {
            if (oneMore != null) {
                makeDue(oneMore);
            }
            Throwable failure = null;
            int failures = 0;
            // From the last that came on, and those that fail stay below it.
            for (int index = due() - 1; index >= 0 && failures < 2; index--) {
                Holding holding = due(index);
                try {
                    if (holding.bytes > 0) {
                        giver.give(holding.position, holding.bytes);
                    }
                    // If the rest fails, it is tried again without this.
                    holding.bytes = -holding.bytes;
                    remove(holding);
                } catch (Throwable t) {
                    failure = t;
                    failures++;
                }
            }
            return failure;
        }
    }

    private synchronized int due() {
        return dueCount;
    }

    private synchronized Holding due(int index) {
        return Objects.requireNonNull(all[index]);
    }

    /** Moves one to those that are due, if it is not among them, nor done with. No step of it can fail. */
    private synchronized void makeDue(Holding holding) {
        int index = holding.index;
        if (index >= dueCount) {
            Holding first = all[dueCount];
            all[index] = first;
            if (first != null) {
                first.index = index;
            }
            all[dueCount] = holding;
            holding.index = dueCount;
            dueCount++;
        }
    }

    /** The last that is due moves to its place, and the last of all to the place of that. No step of it can fail. */
    private synchronized void remove(Holding holding) {
        dueCount--;
        Holding lastDue = all[dueCount];
        all[holding.index] = lastDue;
        if (lastDue != null) {
            lastDue.index = holding.index;
        }
        count--;
        Holding last = all[count];
        all[dueCount] = last;
        if (last != null && count != dueCount) {
            last.index = dueCount;
        }
        all[count] = null;
        holding.index = NOWHERE;
        bytes += holding.bytes;
    }

    private static void log(@Nullable Throwable failure) {
        try {
            System.getLogger("dev.percpu")
                    .log(
                            Logger.Level.WARNING,
                            "a piece of the per-CPU area could not be given back; it is tried again until it can be",
                            failure);
        } catch (Throwable alsoThrown) {
            // A logger is somebody else's code. There is nobody to tell, and nothing is lost but the message.
        }
    }

    /** Where no thread can be started, who finds the area full gives back what is due, and it is tried again later. */
    private void startIfNotStarted() {
        if (started) {
            return;
        }
        synchronized (giving) {
            if (!started) {
                try {
                    DetachedThread.start("percpu-area", unreachable, handler, atEnd);
                    started = true;
                } catch (OutOfMemoryError noThread) {
                    started = false;
                }
            }
        }
    }
}
