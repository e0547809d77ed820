package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.backend.LinkedSequence;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.code.Catalogue;
import dev.percpu.internal.code.Op;
import dev.percpu.memory.NumericWidth;

/** Pairs of numbers that are updated in one call. Each update is one atomic step; the two are not. */
public interface NumberPairs {
    NumberPairs CURRENT = Backends.half(NumberPairs.class, Rseq::link, Atomic::create);

    /** Adds to the current CPU's instances of two {@code long} numbers, one after the other. */
    void add(long position, long delta, long secondPosition, long secondDelta);

    /** Adds to the current CPU's instances of a {@code long} and of a {@code double}, one of them after the other. */
    void addLongAndDouble(long position, long delta, long doublePosition, double x);

    /** With one call of two sections. */
    record Rseq(LinkedSequence addTwo, LinkedSequence addMixed) implements NumberPairs {
        public static Rseq link(Sequences sequences) {
            return new Rseq(sequences.link(Catalogue.ADD_TWO), sequences.link(Catalogue.ADD_LONG_AND_DOUBLE));
        }

        @Override
        public void add(long position, long delta, long secondPosition, long secondDelta) {
            long _ = addTwo.call(Area.BASE + position, delta, Area.BASE + secondPosition, secondDelta);
        }

        @Override
        public void addLongAndDouble(long position, long delta, long doublePosition, double x) {
            long _ = addMixed.call(
                    Area.BASE + position, delta, Area.BASE + doublePosition, Double.doubleToRawLongBits(x));
        }
    }

    /** With two atomic instructions. */
    record Atomic(CurrentCpu cpu) implements NumberPairs {
        static Atomic create() {
            // Links the second addition of a pair. If that were left to the first pair, and the heap were full by then,
            // only one of its additions would be made.
            Area.LONG.getAndAdd(Area.MEMORY, Area.offset(Area.SPARE, CpuHeader.GUARD_WORD), 0L);
            return new Atomic(Numbers.Atomic.create().cpu());
        }

        @Override
        public void add(long position, long delta, long secondPosition, long secondDelta) {
            int current = cpu.get();
            Area.LONG.getAndAdd(Area.MEMORY, Area.offset(current, position), delta);
            Area.LONG.getAndAdd(Area.MEMORY, Area.offset(current, secondPosition), secondDelta);
        }

        @Override
        public void addLongAndDouble(long position, long delta, long doublePosition, double x) {
            int current = cpu.get();
            long _ = Numbers.updateAtomically(
                    Op.ADD_DOUBLE,
                    NumericWidth.LONG,
                    Area.offset(current, doublePosition),
                    Double.doubleToRawLongBits(x));
            Area.LONG.getAndAdd(Area.MEMORY, Area.offset(current, position), delta);
        }
    }
}
