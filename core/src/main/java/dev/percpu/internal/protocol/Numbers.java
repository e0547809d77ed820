package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.area.WidthAccess;
import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.backend.LinkedSequence;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.code.Catalogue;
import dev.percpu.internal.code.Op;
import dev.percpu.memory.NumericWidth;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Numbers whose updates are each one atomic step. */
public interface Numbers {
    Numbers CURRENT = Backends.half(Numbers.class, Rseq::link, Atomic::create);

    /**
     * Applies the operation to the current CPU's instance of a pure number. It is one step: no other operation on the
     * instance can come between. Never waits.
     *
     * @return the new value if the operation computes it, otherwise the old one; only the bits of the width count
     */
    long update(Op op, NumericWidth width, long position, long operand, long expected);

    /**
     * Applies the operation to the current CPU's instance of a guarded number, unless the CPU's guard is taken.
     *
     * @return false if nothing was done; then the caller has to acquire the guard to do the operation
     */
    boolean updateUnlessGuarded(Op op, NumericWidth width, long position, long operand);

    /** Adds to the current CPU's instance of a {@code long} number. */
    void add(long position, long delta);

    /** Reads the current CPU's instance of a {@code long} number. */
    long read(long position);

    /** Reads the instance of a {@code long} number in a place: opaque. */
    static long readIn(int place, long position) {
        return (long) Area.LONG.getOpaque(Area.MEMORY, Area.offset(place, position));
    }

    /** Sets the spare slot of a {@code long} number if it has the expected value. */
    static boolean compareAndSetSpare(long position, long expected, long value) {
        return Area.LONG.compareAndSet(Area.MEMORY, Area.offset(Area.SPARE, position), expected, value);
    }

    /**
     * Applies the operation to the number at an offset in {@link Area#MEMORY}, which only atomic instructions update.
     *
     * @return the new value if the operation computes it, otherwise the old one
     */
    static long updateAtomically(Op op, NumericWidth width, long offset, long operand) {
        while (true) {
            long old = WidthAccess.get(width, offset);
            long next = op.applyTo(old, operand);
            if (WidthAccess.compareAndExchange(width, offset, old, next) == old) {
                return op.computes() ? next : old;
            }
        }
    }

    /**
     * Links what only {@link Op#CMPXCHG} needs. A counter does without it, and so {@link #CURRENT} does not link it.
     * This stores 0 where 0 is, in a word that belongs to no number.
     */
    static void initializeCompareAndExchange() {
        long _ = CURRENT.update(Op.CMPXCHG, NumericWidth.LONG, CpuHeader.REHEARSED_SLOT, 0, 0);
    }

    /** Initializes what {@link #updateAtomically} needs: see {@link Sums#initialize}. */
    static void initializeAtomic() {
        WidthAccess.initialize();
        long _ = Op.OR.applyTo(0, 0);
    }

    /** With sequences. They are in unmodifiable lists because the compiler trusts the elements of those. */
    record Rseq(
            LinkedSequence addLong,
            LinkedSequence addLongUnlessGuarded,
            List<LinkedSequence> pure,
            List<LinkedSequence> guarded)
            implements Numbers {
        private static final NumericWidth[] WIDTHS = NumericWidth.values();

        /** What stands for an operation that does not exist: the null address, which the linker refuses to call. */
        private static final LinkedSequence NONE = new LinkedSequence(MemorySegment.NULL);

        public static Rseq link(Sequences sequences) {
            LinkedSequence[] pure = new LinkedSequence[Op.values().length * WIDTHS.length];
            LinkedSequence[] guarded = new LinkedSequence[pure.length];
            for (Op op : Op.values()) {
                for (NumericWidth width : WIDTHS) {
                    pure[index(op, width)] = op.isPure(width) ? sequences.find(Catalogue.pure(op, width)) : NONE;
                    guarded[index(op, width)] = op.isGuarded() ? sequences.find(Catalogue.guarded(op, width)) : NONE;
                }
            }
            int addLong = index(Op.ADD, NumericWidth.LONG);
            return new Rseq(pure[addLong], guarded[addLong], List.of(pure), List.of(guarded));
        }

        @SuppressWarnings("EnumOrdinal") // the table lives no longer than the process; an EnumMap is not a constant
        private static int index(Op op, NumericWidth width) {
            return op.ordinal() * WIDTHS.length + width.ordinal();
        }

        @Override
        public long update(Op op, NumericWidth width, long position, long operand, long expected) {
            LinkedSequence sequence = sequence(addLong, pure, op, width);
            return op == Op.CMPXCHG
                    ? sequence.call(Area.BASE + position, operand, expected, 0)
                    : sequence.call(Area.BASE + position, operand);
        }

        /**
         * The sequence of an operation. The most frequent one comes first, as a constant: the compiler knows the
         * operation, but not the width, and an address from the table takes half a nanosecond more.
         */
        private static LinkedSequence sequence(
                LinkedSequence addLong, List<LinkedSequence> table, Op op, NumericWidth width) {
            return op == Op.ADD && width == NumericWidth.LONG ? addLong : table.get(index(op, width));
        }

        @Override
        public boolean updateUnlessGuarded(Op op, NumericWidth width, long position, long operand) {
            return sequence(addLongUnlessGuarded, guarded, op, width).call(Area.BASE + position, operand)
                    == Catalogue.DONE;
        }

        @Override
        public void add(long position, long delta) {
            long _ = addLong.call(Area.BASE + position, delta);
        }

        @Override
        public long read(long position) {
            return update(Op.READ, NumericWidth.LONG, position, 0, 0);
        }
    }

    /**
     * With atomic instructions, on the instance of the CPU that the thread was on a moment ago. A thread that has moved
     * since updates another CPU's instance. That is just as exact, only slower.
     */
    record Atomic(CurrentCpu cpu) implements Numbers {
        static Atomic create() {
            initializeAtomic();
            Atomic numbers = new Atomic(CurrentCpu.CURRENT);
            // The guard word, as any word would do.
            long _ = numbers.update(Op.READ, NumericWidth.LONG, CpuHeader.GUARD_WORD, 0, 0);
            return numbers;
        }

        @Override
        public long update(Op op, NumericWidth width, long position, long operand, long expected) {
            long offset = Area.offset(cpu.get(), position);
            // The most frequent one, which needs no loop.
            if (op == Op.ADD && width == NumericWidth.LONG) {
                return (long) Area.LONG.getAndAdd(Area.MEMORY, offset, operand) + operand;
            }
            return switch (op) {
                case READ -> WidthAccess.get(width, offset);
                case CMPXCHG -> WidthAccess.compareAndExchange(width, offset, expected, operand);
                default -> updateAtomically(op, width, offset, operand);
            };
        }

        /** Only the guard's owner may write guarded data, so the caller has to acquire the guard. */
        @Override
        public boolean updateUnlessGuarded(Op op, NumericWidth width, long position, long operand) {
            return false;
        }

        @Override
        public void add(long position, long delta) {
            Area.LONG.getAndAdd(Area.MEMORY, Area.offset(cpu.get(), position), delta);
        }

        @Override
        public long read(long position) {
            return (long) Area.LONG.getOpaque(Area.MEMORY, Area.offset(cpu.get(), position));
        }
    }
}
