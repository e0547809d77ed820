package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.area.OwnPlaces;
import java.util.function.LongBinaryOperator;

/**
 * Numbers in threads' own places that other threads take away. Nobody but the owner of a place combines values into
 * them, but others exchange them for 0 at any time: {@link GatedNumbers#takeAll}.
 */
public final class OwnNumbers {
    /*
     * After an exchange, an ordinary store would bring back what is in the result of the taking:
     *
     *   owner T                                     taking thread R
     *   1. reads 7, the sum of it and 9 is 16
     *                                               2. exchanges 7 for 0; returns 7
     *   3. stores 16: 7 is in two results
     *
     * So T compares and exchanges, and tries again if R came between. That is one atomic instruction on a line that no
     * other thread wants. The next owner of the place goes on with the number that T left. (A maximum needs no atomic
     * instruction: see OwnPlaces.raise.)
     *
     * R takes the numbers of as many places as have been opened before. A place that is opened later has only values
     * that were not combined before R's call.
     */
    static {
        // Links what an update calls, in a word that is no number.
        boolean _ = combineIn(Area.offset(Area.SPARE, CpuHeader.REHEARSED_OWN_NUMBER), new Second(), 0, 1);
    }

    /** A function for that: a lambda would take the JVM milliseconds. */
    private record Second() implements LongBinaryOperator {
        @Override
        public long applyAsLong(long left, long right) {
            return right;
        }
    }

    private OwnNumbers() {}

    /** Forces this class to initialize: see {@link Sums#initialize}. */
    public static void initialize() {
        // Calling this is enough.
    }

    /**
     * Combines a value into a number in the place of the current thread, which must have one. The number is kept as
     * the bits in which it differs from the identity.
     *
     * @return false if the number was left as it was, since it absorbs the value
     */
    public static boolean combine(long position, LongBinaryOperator function, long identity, long x) {
        return combineIn(Area.within(OwnPlaces.mine() + position), function, identity, x);
    }

    private static boolean combineIn(long number, LongBinaryOperator function, long identity, long x) {
        while (true) {
            long old = (long) Area.LONG.getOpaque(Area.MEMORY, number);
            long next = function.applyAsLong(old ^ identity, x) ^ identity;
            if (next == old) {
                return false;
            }
            if (Area.LONG.compareAndSet(Area.MEMORY, number, old, next)) {
                return true;
            }
        }
    }

    /** {@link OwnPlaces#raise} of a number in the place that begins at {@code own}, that of the current thread. */
    public static void raise(long own, long position, long least) {
        OwnPlaces.raise(Area.within(own + position), least);
    }
}
