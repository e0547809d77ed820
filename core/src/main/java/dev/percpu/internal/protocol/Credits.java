package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.backend.LinkedSequence;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.code.Catalogue;
import java.util.function.LongUnaryOperator;

/**
 * Amounts that each CPU may spend by itself. A credit takes 8 bytes and begins as 0. The {@link Gate} has how much was
 * handed out, which begins as 0 too; while credits are taken it is {@link #TAKEN}.
 */
public interface Credits {
    /** More than is ever handed out: what {@link #handedOut} returns from {@link #take} to {@link #setHandedOut}. */
    long TAKEN = Gate.SHUT;

    /** As the limit of an addition: what was handed out never refuses it. It is refused while credits are taken. */
    long UNLIMITED = TAKEN - 1;

    Credits CURRENT = Backends.half(Credits.class, Rseq::link, () -> new Atomic(CurrentCpu.CURRENT, Gate::get));

    /**
     * Adds to the current CPU's credit, if the sum stays within 0 and {@code bound}, and if at most {@code most} was
     * handed out. Checking that and adding are one atomic step.
     *
     * @param bound at most 2^31
     * @param most at most {@link #UNLIMITED}
     * @return false if nothing was done
     */
    boolean add(long position, long delta, long bound, long most);

    /** The sum of all credits. It is not an atomic snapshot. */
    long sum(long position);

    /**
     * Takes what is in all credits. Only one thread at a time may do this or {@link #setHandedOut}.
     *
     * @return the sum of all credits, which stay 0 until {@link #setHandedOut}
     */
    long take(long position);

    /** How much was handed out, or {@link #TAKEN}. */
    static long handedOut(long position) {
        return Gate.get(position);
    }

    /** Sets how much was handed out. If credits were taken, additions are possible again. */
    static void setHandedOut(long position, long amount) {
        Gate.set(position, amount);
    }

    /** Forces the class to initialize that a first {@link #take} needs, which may come when the heap is full. */
    static void initialize() {
        Gate.initialize();
    }

    /** With sequences that check the gate. Shutting it restarts those that saw what was handed out before. */
    record Rseq(LinkedSequence credit) implements Credits {
        public static Rseq link(Sequences sequences) {
            return new Rseq(sequences.link(Catalogue.CREDIT));
        }

        @Override
        public boolean add(long position, long delta, long bound, long most) {
            return credit.call(Area.BASE + position, delta, bound, most) == Catalogue.DONE;
        }

        @Override
        public long sum(long position) {
            long sum = 0;
            for (int cpu = 0; cpu < Area.CPUS; cpu++) {
                sum += (long) Area.LONG.getOpaque(Area.MEMORY, Area.offset(cpu, position));
            }
            return sum;
        }

        @Override
        public long take(long position) {
            Gate.shut(position);
            long sum = 0;
            for (int cpu = 0; cpu < Area.CPUS; cpu++) {
                sum += Gate.exchange(cpu, position, 0);
            }
            return sum;
        }
    }

    /**
     * With atomic instructions. The lower half of a slot is the credit. The upper half counts how often the credit grew
     * or was taken. An addition loads the slot before it checks the gate, and its compare-and-set fails if the slot has
     * changed since. So the credit was still the same when the gate was checked, and the check and the addition are
     * one step.
     *
     * <pre>
     *   thread T, may go up to 100                others
     *   1. loads the slot: a credit of 5
     *   2. checks the gate: 100
     *                                             3. spend the 5, raise the gate to 200, put in 5 again
     *   4. compare-and-set: 5 to 4
     * </pre>
     *
     * <p>If the slot were the credit alone, step 4 would succeed and spend what was reserved above T's limit. But step
     * 3 has incremented the upper half, so step 4 fails.
     *
     * @param gate reads a number's gate; tests have another one, which lets others come in between
     */
    record Atomic(CurrentCpu cpu, LongUnaryOperator gate) implements Credits {
        private static final long CREDIT = 0xffff_ffffL;
        private static final long ONE_MORE = CREDIT + 1;

        @Override
        public boolean add(long position, long delta, long bound, long most) {
            long offset = Area.offset(cpu.get(), position);
            while (true) {
                long old = (long) Area.LONG.getVolatile(Area.MEMORY, offset);
                if (gate.applyAsLong(position) > most) {
                    return false;
                }
                long credit = (old & CREDIT) + delta;
                if (Long.compareUnsigned(credit, bound) > 0) {
                    return false;
                }
                long next = ((old & ~CREDIT) | credit) + (delta > 0 ? ONE_MORE : 0);
                if (Area.LONG.compareAndSet(Area.MEMORY, offset, old, next)) {
                    return true;
                }
            }
        }

        @Override
        public long sum(long position) {
            long sum = 0;
            for (int slot = 0; slot < Area.CPUS; slot++) {
                sum += (long) Area.LONG.getOpaque(Area.MEMORY, Area.offset(slot, position)) & CREDIT;
            }
            return sum;
        }

        @Override
        public long take(long position) {
            Gate.set(position, Gate.SHUT);
            long sum = 0;
            for (int slot = 0; slot < Area.CPUS; slot++) {
                sum += takeSlot(Area.offset(slot, position));
            }
            return sum;
        }

        /** Increments the upper half even if there is no credit, so that additions which saw the lower gate fail. */
        private static long takeSlot(long offset) {
            while (true) {
                long old = (long) Area.LONG.getVolatile(Area.MEMORY, offset);
                if (Area.LONG.compareAndSet(Area.MEMORY, offset, old, (old & ~CREDIT) + ONE_MORE)) {
                    return old & CREDIT;
                }
            }
        }
    }
}
