package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.backend.LinkedSequence;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.code.Catalogue;

/**
 * Counts that each CPU keeps for itself until they are closed. From then on no addition succeeds, and the total is
 * known exactly. A tally takes 8 bytes and begins as 0, open.
 */
public interface CpuTallies {
    CpuTallies CURRENT = Backends.half(CpuTallies.class, Rseq::link, () -> new Atomic(CurrentCpu.CURRENT));

    /**
     * Adds to the current CPU's instance, unless the tally is closed.
     *
     * @return false if nothing was done
     */
    boolean add(long position, long delta);

    /**
     * The first step of closing a tally: what can be refused. If it throws, nothing has changed. Only one thread at a
     * time may close and open a tally.
     */
    void shut(long position);

    /**
     * The second step: closes a tally that is shut. Once it has returned, no addition succeeds any more, and the result
     * includes every addition that did succeed.
     *
     * @return the sum over all instances, which are 0 afterwards
     */
    long take(long position);

    /** Opens a closed tally. */
    void open(long position);

    /**
     * With sequences that check the gate. A caller that they refuse, for whatever reason, adds to the spare slot, which
     * can be closed by itself:
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
     * <p>If 4 comes before 3, T finds the spare slot closed, and its addition fails. So the spare slot decides, and a
     * thread without a CPU id needs no separate path. While the tally is open, the spare slot is open too.
     */
    record Rseq(LinkedSequence gatedAdd) implements CpuTallies {
        public static Rseq link(Sequences sequences) {
            return new Rseq(sequences.link(Catalogue.GATED_ADD));
        }

        @Override
        public boolean add(long position, long delta) {
            long result = gatedAdd.call(Area.BASE + position, delta);
            return result == Catalogue.DONE || ClosableSlot.add(Area.offset(Area.SPARE, position), delta);
        }

        @Override
        public void shut(long position) {
            Gate.shut(position);
        }

        @Override
        public long take(long position) {
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

    /** With atomic instructions: each CPU's slot can be closed by itself, so there is no gate. */
    record Atomic(CurrentCpu cpu) implements CpuTallies {
        @Override
        public boolean add(long position, long delta) {
            return ClosableSlot.add(Area.offset(cpu.get(), position), delta);
        }

        @Override
        public void shut(long position) {
            // Each slot is closed by itself.
        }

        @Override
        public long take(long position) {
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
     * A number that threads add to with atomic instructions until it is closed. The slot holds twice the number, plus 1
     * if it is closed. Closing changes the slot itself, so no addition can succeed after it unnoticed.
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

        /** Closes the slot and returns its number. */
        static long close(long offset) {
            return (long) Area.LONG.getAndSet(Area.MEMORY, offset, CLOSED) >> 1;
        }

        /** Opens the slot with the number 0. */
        static void open(long offset) {
            Area.LONG.setVolatile(Area.MEMORY, offset, 0L);
        }
    }
}
