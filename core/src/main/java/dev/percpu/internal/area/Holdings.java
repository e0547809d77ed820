package dev.percpu.internal.area;

import dev.percpu.internal.failure.Log;
import java.lang.invoke.MethodHandle;
import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Pieces that are given back once the objects that hold them have become unreachable. Each is given back once, most of
 * them by a dedicated thread.
 *
 * <p>A {@link java.lang.ref.Cleaner} does the same in 72 bytes for each piece, which would be most of what a counter
 * takes on the heap: each piece needs a reference and an action, which are two objects. Here it is one object of 40
 * bytes, and an entry in an array. (If the objects were linked instead, the garbage collector would have to walk a
 * chain of all pieces one by one.)
 *
 * <p>No piece is lost. Giving one back can fail, for example because memory runs out. Then it stays in the list of
 * those that are due. They are tried again in turn, ten times a second, and whenever another one is due; but after two
 * failures, the others wait for the next time.
 *
 * <p>This file is longer than others: it has all that can happen to a piece from its holder's creation to its return.
 */
class Holdings implements ToLongFunction<Reference<?>>, Runnable {
    /** Gives back a piece whose holder is gone. If it throws, it must have done nothing, and it is called again. */
    @FunctionalInterface
    interface Return {
        void give(long position, long bytes);
    }

    private static final int FIRST_LENGTH = 64;

    private static final long RETRY_MILLIS = 100;

    private static final String THREAD = "percpu-area";

    static final long MILLIS_UNTIL_DETACHED = 300;

    private static final long NANOS_PER_MILLI = 1_000_000;

    private static final int NOWHERE = -1;

    private final ReferenceQueue<Object> unreachable = new ReferenceQueue<>();
    private final Return giver;
    private final Supplier<MethodHandle> atEnd;

    private volatile boolean started;

    /**
     * First the holdings that are due to be given back, then those whose holders are still reachable. (A reference that
     * is itself unreachable is never queued.) Guarded by this object's lock. So are the fields of each holding until it
     * is due; from then on, its position and bytes are guarded by {@link #giving}.
     */
    private @Nullable Holding[] all = new Holding[FIRST_LENGTH];

    /** How many are due. Guarded by this object's lock. */
    private int dueCount;

    /** How many there are. Guarded by this object's lock. */
    private int count;

    /** The bytes of all of them. Guarded by this object's lock. */
    private long bytes;

    /** Only one thread at a time gives pieces back. This lock is acquired before this object's lock. */
    private final Object giving = new Object();

    /** The index of the one that is due and is tried next. Guarded by {@link #giving}. */
    private int next;

    /** The thread logs only the first of a series of failures. Guarded by {@link #giving}. */
    private boolean logged;

    Holdings(Return giver) {
        this(giver, DetachedThread::nothing);
    }

    /** @param atEnd makes what the thread does once this object, and all that its class loader has loaded, is gone */
    Holdings(Return giver, Supplier<MethodHandle> atEnd) {
        this.giver = giver;
        this.atEnd = atEnd;
        startIfNotStarted();
    }

    /** A piece and its holder. */
    static final class Holding extends PhantomReference<Object> {
        private int position;

        /** Negative once the piece is given back. */
        private int bytes;

        /** Its index in the array; {@link #NOWHERE} once it is finished with. */
        private int index;

        private Holding(Object holder, ReferenceQueue<Object> queue) {
            super(holder, queue);
        }

        int position() {
            return position;
        }
    }

    /**
     * Takes a piece, and promises to give it back once the holder is unreachable. All that has to be allocated for that
     * is allocated before the piece is taken.
     *
     * @param taking takes the piece, and returns its position; called once
     */
    Holding hold(Object holder, long size, LongSupplier taking) {
        Holding holding = prepare(holder);
        boolean holds = false;
        try {
            long position = taking.getAsLong();
            // No call from here on: the stack could end there, and the piece would be nobody's.
            synchronized (this) {
                bytes += size;
                holding.position = (int) position;
                holding.bytes = (int) size;
            }
            holds = true;
        } finally {
            if (!holds) {
                giveBack(holding);
            }
        }
        return holding;
    }

    private Holding prepare(Object holder) {
        startIfNotStarted();
        synchronized (this) {
            if (count == all.length) {
                // Grows by half, as a list does. If it doubled, unused entries would be most of what a counter takes.
                all = Arrays.copyOf(all, count + (count >> 1));
            }
            Holding holding = new Holding(holder, unreachable);
            holding.index = count;
            all[count] = holding;
            count++;
            return holding;
        }
    }

    /** Leaves the piece to its user for good: one of 0 bytes is not given back. */
    synchronized void keep(Holding holding) {
        bytes -= holding.bytes;
        holding.bytes = 0;
    }

    /**
     * Gives a piece back now. If that fails, it is tried again later. No code can reach the piece any more, though the
     * holder may still be reachable.
     */
    void giveBack(Holding holding) {
        if (giveBackAll(holding) == null) {
            // It would do no harm if the garbage collector still queued it, but there is no need for that any more.
            holding.clear();
        } else {
            wakeThread();
        }
    }

    /**
     * Has the thread try again what is due: otherwise it waits for the next piece. If even this fails, near the end of
     * the stack, the garbage collector wakes the thread, once the holder is unreachable.
     */
    private void wakeThread() {
        try {
            enqueueNothing();
        } catch (Throwable _) {
            // See above.
        }
    }

    /** Queues a reference that stands for no piece. */
    private void enqueueNothing() {
        boolean _ = new PhantomReference<Object>(unreachable, unreachable).enqueue();
    }

    /** How many bytes have a holder, or had one and are not yet given back. */
    synchronized long bytes() {
        return bytes;
    }

    // The detached thread calls this, to give back a piece and those that failed earlier. It holds this object weakly,
    // and ends once it is unreachable. The result is how many milliseconds to wait for the next piece.
    @Override
    public long applyAsLong(@Nullable Reference<?> reference) {
        Throwable failure;
        boolean isFirst = false;
        // In one go: if another thread gave back what is due in between, this failure's series would be over already.
        synchronized (giving) {
            failure = giveBackAll(reference instanceof Holding holding ? holding : null);
            // A full heap is not logged. The first use of a logger initializes classes of the JDK. If that fails for
            // want of memory, they stay unusable as long as the program runs. And the piece comes back once there is
            // memory.
            if (failure != null && !(failure instanceof OutOfMemoryError)) {
                isFirst = !logged;
                logged = true;
            }
        }
        if (isFirst) {
            log(failure);
        }
        synchronized (this) {
            return dueCount == 0 ? DetachedThread.FOREVER : RETRY_MILLIS;
        }
    }

    /**
     * Gives back one more piece, and then all that are due. It stops after two failures, since then the others would
     * most likely fail too. The next call goes on from there, so that pieces which always fail keep no other one back,
     * even if each call has one more.
     *
     * @return what the last failure threw
     */
    private @Nullable Throwable giveBackAll(@Nullable Holding oneMore) {
        synchronized (giving) {
            // Before makeDue, which puts the new piece behind the others: otherwise `next` could be that piece, which
            // is tried first anyway, and it would be tried twice.
            startOverIfAllHadTheirTurn();
            Holding added = oneMore != null && makeDue(oneMore) ? oneMore : null;
            Throwable failure = null;
            int failures = 0;
            for (int untried = due(); untried > 0 && failures < 2; untried = Math.min(untried - 1, due())) {
                Holding holding = added;
                added = null;
                if (holding == null) {
                    startOverIfAllHadTheirTurn();
                    holding = due(next);
                    next--;
                }
                try {
                    if (holding.bytes > 0) {
                        giver.give(holding.position, holding.bytes);
                        // If a later step fails, no later attempt gives the piece back a second time.
                        holding.bytes = -holding.bytes;
                    }
                    remove(holding);
                } catch (Throwable t) {
                    failure = t;
                    failures++;
                }
            }
            if (failure == null) {
                logged = false;
            }
            return failure;
        }
    }

    /** Those that are due have their turn from the last to the first. */
    private void startOverIfAllHadTheirTurn() {
        if (next < 0 || next >= due()) {
            next = due() - 1;
        }
    }

    private synchronized int due() {
        return dueCount;
    }

    private synchronized Holding due(int index) {
        return Objects.requireNonNull(all[index]);
    }

    /**
     * Moves a holding to those that are due, as the last of them. None of its steps can fail.
     *
     * @return false if it is there already, or finished with
     */
    private synchronized boolean makeDue(Holding holding) {
        int index = holding.index;
        boolean isNew = index >= dueCount;
        if (isNew) {
            Holding first = all[dueCount];
            all[index] = first;
            if (first != null) {
                first.index = index;
            }
            all[dueCount] = holding;
            holding.index = dueCount;
            dueCount++;
        }
        return isNew;
    }

    /**
     * Removes a holding that is due. The last due holding moves to its entry, and the last of all to the entry that
     * this frees. None of its steps can fail.
     */
    synchronized void remove(Holding holding) {
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
            Log.warn("a piece of the per-CPU area could not be given back; it is retried until that succeeds", failure);
        } catch (Throwable alsoThrown) {
            // A logger is the user's code. There is nowhere to report this to, and only the message is lost.
        }
    }

    /**
     * What the thread does until the detached thread takes over. Composing the detached thread's code takes about as
     * long as all else that a first variable needs. The detached thread only matters once the class loader of this
     * library can be collected. So this thread composes the code only when the program has probably started. A JVM that
     * ends before that never does it.
     */
    @Override
    public void run() {
        boolean detached = false;
        while (!detached) {
            reclaim(MILLIS_UNTIL_DETACHED);
            try {
                // Its first step takes this, or what was queued since, and begins with those that are due.
                enqueueNothing();
                DetachedThread.start(THREAD, unreachable, this, atEnd.get());
                detached = true;
            } catch (Throwable t) {
                // There is no memory for it, most likely. So this thread goes on, and tries that again later.
                detached = false;
            }
        }
        // The first step of the detached thread may have failed, and then what it took from the queue is lost.
        giveBackUnreachable();
    }

    /**
     * Gives back each piece whose holder the garbage collector has found unreachable by now, whether its reference is
     * not yet in the queue, in the queue, or in the hands of a thread. (Nobody gives it back a second time.)
     */
    void giveBackUnreachable() {
        synchronized (this) {
            // What this makes due changes places with one that was looked at before.
            for (int index = dueCount; index < count; index++) {
                Holding holding = Objects.requireNonNull(all[index]);
                if (holding.refersTo(null)) {
                    boolean _ = makeDue(holding);
                }
            }
        }
        if (giveBackAll(null) != null) {
            wakeThread();
        }
    }

    private void reclaim(long millis) {
        long start = System.nanoTime();
        long wait = millis;
        for (long left = millis; left > 0; left = millis - (System.nanoTime() - start) / NANOS_PER_MILLI) {
            try {
                long next = applyAsLong(unreachable.remove(Math.min(left, wait)));
                wait = next == DetachedThread.FOREVER ? left : next;
            } catch (Throwable t) {
                wait = left;
            }
        }
    }

    /**
     * If no thread can be started, a thread that finds the area full gives back what is due, and starting is tried
     * again later.
     */
    private void startIfNotStarted() {
        if (started) {
            return;
        }
        synchronized (giving) {
            if (!started) {
                try {
                    DetachedThread.start(THREAD, this);
                    started = true;
                } catch (OutOfMemoryError noThread) {
                    started = false;
                }
            }
        }
    }
}
