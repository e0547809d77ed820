package dev.percpu.internal.area;

import java.lang.System.Logger;
import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.ArrayList;
import java.util.List;

/**
 * Pieces that are given back when the objects that hold them have become unreachable, each once, by a thread of its own.
 *
 * <p>A {@link java.lang.ref.Cleaner} does the same in 72 bytes for each, which would be most of what a counter takes on the
 * heap: each has a reference and an action, which are two objects. Here it is one of 40, and a place in an array. (Links from
 * one to the next would make the collector walk a chain of all pieces one by one.)
 */
final class Holdings {
    /** What is done with a piece whose holder is gone. */
    @FunctionalInterface
    interface Return {
        void give(long position, long bytes);
    }

    private final ReferenceQueue<Object> unreachable = new ReferenceQueue<>();
    private final Return giver;

    /** A reference that is unreachable itself is never queued. Guarded by this object's lock. */
    private final List<Holding> all = new ArrayList<>();

    Holdings(Return giver) {
        this.giver = giver;
        Thread.ofPlatform()
                .name("percpu-area")
                .daemon()
                .inheritInheritableThreadLocals(false)
                .start(this::run);
    }

    /** A piece and its holder. */
    private static final class Holding extends PhantomReference<Object> {
        private final int position;
        private final int bytes;

        /** Its place in the list, guarded by the lock of that. */
        private int index;

        private Holding(Object holder, int position, int bytes, ReferenceQueue<Object> queue) {
            super(holder, queue);
            this.position = position;
            this.bytes = bytes;
        }
    }

    /** Has a piece given back once the holder is unreachable. */
    synchronized void add(Object holder, int position, int bytes) {
        Holding holding = new Holding(holder, position, bytes, unreachable);
        holding.index = all.size();
        all.add(holding);
    }

    /** The last one moves to its place. */
    private synchronized void remove(Holding holding) {
        Holding last = all.removeLast();
        if (last != holding) {
            last.index = holding.index;
            all.set(last.index, last);
        }
    }

    private void run() {
        while (true) {
            try {
                Holding holding = (Holding) unreachable.remove();
                remove(holding);
                giver.give(holding.position, holding.bytes);
            } catch (Throwable t) {
                // Out of memory, say. One piece is lost, and the others are still to come.
                System.getLogger("dev.percpu")
                        .log(Logger.Level.WARNING, "a piece of the per-CPU area could not be given back", t);
            }
        }
    }
}
