package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.backend.LinkedSequence;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.code.Catalogue;
import dev.percpu.internal.code.Op;
import dev.percpu.memory.NumericWidth;

/**
 * Numbers of 64 bits that can be taken away from their CPUs: each begins as 0 and has a {@link Gate}. While the gate is
 * shut, no thread updates the CPUs' instances. A caller whose update is refused updates the spare slot
 * instead, atomically.
 */
public interface GatedNumbers {
    GatedNumbers CURRENT = Backends.half(GatedNumbers.class, Rseq::link, Atomic::create);

    /**
     * Adds to the current CPU's instance. The instance and the operand are the bits of a {@code double}.
     *
     * @return false if nothing was done: the gate is shut, or the thread has no CPU id
     */
    boolean addDouble(long position, long operand);

    /**
     * Sets the current CPU's instance if it is {@code expected}.
     *
     * @return false if nothing was done: it differs, the gate is shut, or the thread has no CPU id
     */
    boolean compareAndSet(long position, long expected, long value);

    /**
     * Shuts the gate. Once it has returned, {@link Gate#exchange} loses no update of any instance. Only one thread at a
     * time may shut the gate and open it again with {@link Gate#open}.
     */
    void shut(long position);

    /**
     * Takes the numbers of all CPUs, then the spare slot, then the numbers of own places, and leaves zeros. After an
     * error, the array has what was taken before it.
     *
     * <pre>
     *   taking thread R                           a thread U on CPU 1
     *                                             1. in its sequence: gate open, loads 4
     *   2. shuts the gate, restarts sequences
     *                                             3. starts over: gate shut, adds to the spare slot
     *   4. CPU 1: 4 to 0
     * </pre>
     *
     * <p>Without the gate, U's store of 5 could follow 4, and bring back what R took. If U commits before 2, R sees
     * that in 4. If R has taken the spare slot before 3, the update is in the next result. So each update is in exactly
     * one result. A second R would open the gate while the first one takes numbers, so the caller holds a lock.
     *
     * <p>A number in a thread's own place needs no gate: see {@link OwnNumbers}.
     *
     * @param taken zeros, one for each place that has been opened
     */
    static void takeAll(long position, long[] taken) {
        CURRENT.shut(position);
        try {
            for (int place = 0; place <= Area.SPARE; place++) {
                taken[place] = Gate.exchange(place, position, 0);
            }
        } finally {
            Gate.open(position);
        }
        for (int place = Area.FIRST_OWN; place < taken.length; place++) {
            taken[place] = Gate.exchange(place, position, 0);
        }
    }

    /** With sequences that check the gate. */
    record Rseq(LinkedSequence addDouble, LinkedSequence compareAndExchange) implements GatedNumbers {
        public static Rseq link(Sequences sequences) {
            return new Rseq(sequences.link(Catalogue.GATED_ADD_DOUBLE), sequences.link(Catalogue.GATED_CMPXCHG));
        }

        @Override
        public boolean addDouble(long position, long operand) {
            return addDouble.call(Area.BASE + position, operand) == Catalogue.DONE;
        }

        @Override
        public boolean compareAndSet(long position, long expected, long value) {
            return compareAndExchange.call(Area.BASE + position, value, expected, 0) == Catalogue.DONE;
        }

        @Override
        public void shut(long position) {
            Gate.shut(position);
        }
    }

    /** With atomic instructions. They need no gate, since each update is a single one, and so is the exchange. */
    record Atomic(CurrentCpu cpu) implements GatedNumbers {
        static Atomic create() {
            // This also links what the updates below use.
            return new Atomic(Numbers.Atomic.create().cpu());
        }

        @Override
        public boolean addDouble(long position, long operand) {
            long _ = Numbers.updateAtomically(
                    Op.ADD_DOUBLE, NumericWidth.LONG, Area.offset(cpu.get(), position), operand);
            return true;
        }

        @Override
        public boolean compareAndSet(long position, long expected, long value) {
            return Area.LONG.compareAndSet(Area.MEMORY, Area.offset(cpu.get(), position), expected, value);
        }

        @Override
        public void shut(long position) {}
    }
}
