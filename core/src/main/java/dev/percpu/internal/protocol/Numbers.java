package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.WidthAccess;
import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.code.Catalogue;
import dev.percpu.internal.code.Op;
import dev.percpu.memory.NumericWidth;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.stream.Stream;

/** Numbers whose updates are each one atomic step. */
public interface Numbers {
    Numbers CURRENT = Backends.half(Numbers.class, Rseq::link, () -> new Atomic(CurrentCpu.CURRENT));

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

    /** Adds to the current CPU's instances of two {@code long} numbers, one after the other, in one call. */
    void addTwo(long position, long delta, long secondPosition, long secondDelta);

    /** Adds to the current CPU's instances of a {@code long} and of a {@code double}, one of them after the other. */
    void addLongAndDouble(long position, long delta, long doublePosition, double x);

    /**
     * Applies the operation to the number at an offset of the area, which is updated with atomic instructions only.
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
     * With sequences. The addition of a {@code long} has a handle of its own. The other operations share one handle
     * that takes the address as an argument, so that not every one has to be linked. The addresses are in unmodifiable
     * lists because the compiler trusts their elements.
     */
    record Rseq(
            MethodHandle addLong,
            MethodHandle addPair,
            MethodHandle addMixedPair,
            MethodHandle any,
            List<MemorySegment> pure,
            List<MemorySegment> guarded)
            implements Numbers {
        private static final NumericWidth[] WIDTHS = NumericWidth.values();

        public static Rseq link(Sequences sequences) {
            return new Rseq(
                    sequences.link(Catalogue.pure(Op.ADD, NumericWidth.LONG)),
                    sequences.link(Catalogue.ADD_TWO),
                    sequences.link(Catalogue.ADD_LONG_AND_DOUBLE),
                    Sequences.linkAny(3),
                    table((op, width) -> sequences.addressOf(Catalogue.pure(op, width))),
                    table((op, width) -> sequences.addressOf(Catalogue.guarded(op, width))));
        }

        @FunctionalInterface
        private interface Address {
            MemorySegment of(Op op, NumericWidth width);
        }

        /** A combination that does not exist gets a null address, which the linker refuses to call. */
        private static List<MemorySegment> table(Address address) {
            return Stream.of(Op.values())
                    .flatMap(op -> Stream.of(WIDTHS)
                            .map(width -> op.exists(width) ? address.of(op, width) : MemorySegment.NULL))
                    .toList();
        }

        @SuppressWarnings("EnumOrdinal") // the table lives no longer than the process; an EnumMap is not a constant
        private static int index(Op op, NumericWidth width) {
            return op.ordinal() * WIDTHS.length + width.ordinal();
        }

        @Override
        public long update(Op op, NumericWidth width, long position, long operand, long expected) {
            try {
                if (op == Op.ADD && width == NumericWidth.LONG) {
                    return (long) addLong.invokeExact(Area.BASE + position, operand);
                }
                return (long) any.invokeExact(pure.get(index(op, width)), Area.BASE + position, operand, expected);
            } catch (Throwable t) {
                throw Sequences.thrown(t);
            }
        }

        @Override
        public boolean updateUnlessGuarded(Op op, NumericWidth width, long position, long operand) {
            try {
                long result = (long) any.invokeExact(guarded.get(index(op, width)), Area.BASE + position, operand, 0L);
                return result == Catalogue.DONE;
            } catch (Throwable t) {
                throw Sequences.thrown(t);
            }
        }

        @Override
        public void add(long position, long delta) {
            try {
                long _ = (long) addLong.invokeExact(Area.BASE + position, delta);
            } catch (Throwable t) {
                throw Sequences.thrown(t);
            }
        }

        @Override
        public long read(long position) {
            return update(Op.READ, NumericWidth.LONG, position, 0, 0);
        }

        @Override
        public void addTwo(long position, long delta, long secondPosition, long secondDelta) {
            try {
                long _ = (long)
                        addPair.invokeExact(Area.BASE + position, delta, Area.BASE + secondPosition, secondDelta);
            } catch (Throwable t) {
                throw Sequences.thrown(t);
            }
        }

        @Override
        public void addLongAndDouble(long position, long delta, long doublePosition, double x) {
            try {
                long _ = (long) addMixedPair.invokeExact(
                        Area.BASE + position, delta, Area.BASE + doublePosition, Double.doubleToRawLongBits(x));
            } catch (Throwable t) {
                throw Sequences.thrown(t);
            }
        }
    }

    /**
     * With atomic instructions, on the instance of the CPU that the thread was on a moment ago. A thread that has moved
     * since updates another CPU's instance. That is just as exact, only slower.
     */
    record Atomic(CurrentCpu cpu) implements Numbers {
        @Override
        public long update(Op op, NumericWidth width, long position, long operand, long expected) {
            long offset = Area.offset(cpu.get(), position);
            return switch (op) {
                case READ -> WidthAccess.get(width, offset);
                case CMPXCHG -> WidthAccess.compareAndExchange(width, offset, expected, operand);
                case ADD -> {
                    if (width == NumericWidth.LONG) {
                        yield (long) Area.LONG.getAndAdd(Area.MEMORY, offset, operand) + operand;
                    }
                    yield updateAtomically(op, width, offset, operand);
                }
                case ADD_DOUBLE, AND, OR, MAX, XCHG -> updateAtomically(op, width, offset, operand);
            };
        }

        /** Only the guard's owner may write guarded data, so the caller has to take the guard. */
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

        @Override
        public void addTwo(long position, long delta, long secondPosition, long secondDelta) {
            int current = cpu.get();
            Area.LONG.getAndAdd(Area.MEMORY, Area.offset(current, position), delta);
            Area.LONG.getAndAdd(Area.MEMORY, Area.offset(current, secondPosition), secondDelta);
        }

        @Override
        public void addLongAndDouble(long position, long delta, long doublePosition, double x) {
            int current = cpu.get();
            long _ = updateAtomically(
                    Op.ADD_DOUBLE,
                    NumericWidth.LONG,
                    Area.offset(current, doublePosition),
                    Double.doubleToRawLongBits(x));
            Area.LONG.getAndAdd(Area.MEMORY, Area.offset(current, position), delta);
        }
    }
}
