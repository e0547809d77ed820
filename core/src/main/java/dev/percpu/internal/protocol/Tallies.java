package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.code.Catalogue;
import java.lang.invoke.MethodHandle;

/**
 * Counts that each CPU keeps for itself until they are closed: then no addition succeeds any more, and what all of them
 * came to is known exactly. A tally takes {@link Gate#BYTES} and begins as 0, open.
 */
public interface Tallies {
    Tallies CURRENT = Backends.half(Tallies.class, Rseq::link, () -> new Atomic(CurrentCpu.CURRENT));

    /**
     * Adds to the current CPU's instance, unless the tally is closed.
     *
     * @return false if nothing was done
     */
    boolean add(long position, long delta);

    /**
     * Closes a tally: when it returns, no addition succeeds any more, and every one that did is in the result. One
     * thread at a time may close and open.
     *
     * @return the sum over all instances, which are 0 then
     */
    long close(long position);

    /** Opens a tally that is closed. */
    void open(long position);

    /**
     * By sequences that look at the gate. Whoever they refuse, for whatever reason, goes to the spare slot, which can
     * be closed by itself:
     *
     * <pre>
     *   thread T                                   closing thread C
     *                                              1. shuts the gate, restarts sequences
     *   2. sequence: the gate is shut
     *   3. adds 1 to the spare slot
     *                                              4. closes the spare slot: takes T's 1
     *                                              5. takes what the CPUs have
     * </pre>
     *
     * <p>With 4 before 3, T finds the spare slot closed, and its addition has failed. So it is the spare slot that
     * decides, and a thread without a CPU id needs no way of its own. While the tally is open, that slot is open too.
     */
    record Rseq(MethodHandle gatedAdd) implements Tallies {
        public static Rseq link(Sequences sequences) {
            return new Rseq(sequences.link(Catalogue.GATED_ADD));
        }

        @Override
        public boolean add(long position, long delta) {
            long result;
            try {
                result = (long) gatedAdd.invokeExact(Area.BASE + position, delta);
            } catch (Throwable t) {
                throw Sequences.thrown(t);
            }
            return result == Catalogue.DONE || ClosableSlot.add(Area.offset(Area.SPARE, position), delta);
        }

        @Override
        public long close(long position) {
            Gate.shut(position);
            long sum = ClosableSlot.close(Area.offset(Area.SPARE, position));
            for (int cpu = 0; cpu < Area.CPUS; cpu++) {
                sum += Gate.exchange(cpu, position, 0);
            }
            return sum;
        }

        @Override
        public void open(long position) {
            ClosableSlot.open(Area.offset(Area.SPARE, position));
            Gate.open(position);
        }
    }

    /** By atomic instructions: each CPU's slot can be closed by itself, and there is no gate. */
    record Atomic(CurrentCpu cpu) implements Tallies {
        @Override
        public boolean add(long position, long delta) {
            return ClosableSlot.add(Area.offset(cpu.get(), position), delta);
        }

        @Override
        public long close(long position) {
            long sum = 0;
            for (int slot = 0; slot < Area.CPUS; slot++) {
                sum += ClosableSlot.close(Area.offset(slot, position));
            }
            return sum;
        }

        @Override
        public void open(long position) {
            for (int slot = 0; slot < Area.CPUS; slot++) {
                ClosableSlot.open(Area.offset(slot, position));
            }
        }
    }

    /**
     * A number that threads add to by atomic instructions until it is closed. The slot is twice the number, and one
     * more if it is closed: closing changes the slot itself, so no addition can come after it unseen.
     */
    final class ClosableSlot {
        private static final long CLOSED = 1;

        private ClosableSlot() {}

        static boolean add(long offset, long delta) {
            while (true) {
                long old = (long) Area.LONG.getVolatile(Area.MEMORY, offset);
                if ((old & CLOSED) != 0) {
                    return false;
                }
                if (Area.LONG.compareAndSet(Area.MEMORY, offset, old, old + 2 * delta)) {
                    return true;
                }
            }
        }

        /** Closes the slot and returns the number that was in it. */
        static long close(long offset) {
            return (long) Area.LONG.getAndSet(Area.MEMORY, offset, CLOSED) >> 1;
        }

        /** Opens the slot, with 0 in it. */
        static void open(long offset) {
            Area.LONG.setVolatile(Area.MEMORY, offset, 0L);
        }
    }
}
