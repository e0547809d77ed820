package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.OwnPlaces;

/**
 * One update of an event on a thread that has a place of its own, or the check of an index before it. The updates here
 * are of numbers in that place, as those of {@link Sums} and {@link OwnNumbers}.
 *
 * <p>Each is a record, as the JIT compiler trusts a record's fields: an update that is a constant adds at a fixed
 * offset from the place.
 */
public interface OwnUpdate {
    /**
     * Makes the update.
     *
     * @param place the thread's own: {@link #place()}
     * @param first the first argument, if there is one; then the others
     * @param a the bucket of the first histogram, if there is one; then the others
     */
    void make(long place, long first, long second, long third, long a, long b, long c, long d);

    /**
     * Where the place of the current thread begins, which must have one. The JIT compiler sees that an offset from it
     * that is a constant is aligned and within bounds.
     */
    static long place() {
        return Area.within(OwnPlaces.mine());
    }

    /** One of the arguments, by its number. */
    static long choose(int argument, long first, long second, long third) {
        return switch (argument) {
            case 0 -> first;
            case 1 -> second;
            default -> third;
        };
    }

    /** The addition of a constant. */
    record ConstantAddition(long position, long constant) implements OwnUpdate {
        @Override
        public void make(long place, long first, long second, long third, long a, long b, long c, long d) {
            long _ = OwnPlaces.add(place + position, constant);
        }
    }

    /** The addition of an argument. */
    record Addition(long position, int argument) implements OwnUpdate {
        @Override
        public void make(long place, long first, long second, long third, long a, long b, long c, long d) {
            long _ = OwnPlaces.add(place + position, choose(argument, first, second, third));
        }
    }

    /**
     * The record of an argument in a histogram: both additions. If the stack or the heap ends, neither is made, since
     * the second one takes no more of them than the first.
     *
     * @param buckets the position of the first one
     * @param sum the position of the sum
     */
    record HistogramRecord(long buckets, int histogram, long sum, int argument) implements OwnUpdate {
        @Override
        public void make(long place, long first, long second, long third, long a, long b, long c, long d) {
            long bucket = switch (histogram) {
                case 0 -> a;
                case 1 -> b;
                case 2 -> c;
                default -> d;
            };
            long x = choose(argument, first, second, third);
            long _ = OwnPlaces.add(Area.within(place + buckets + bucket * Long.BYTES), 1);
            long _ = OwnPlaces.add(place + sum, x);
        }
    }

    /**
     * The addition of 1 to an element of an array.
     *
     * @param position of the first one
     * @param index the number of an argument
     */
    record ElementIncrement(long position, int index) implements OwnUpdate {
        @Override
        public void make(long place, long first, long second, long third, long a, long b, long c, long d) {
            long element = choose(index, first, second, third);
            long _ = OwnPlaces.add(Area.within(place + position + element * Long.BYTES), 1);
        }
    }

    /**
     * The addition of an argument to an element of an array.
     *
     * @param position of the first one
     * @param index the number of an argument
     */
    record ElementAddition(long position, int index, int argument) implements OwnUpdate {
        @Override
        public void make(long place, long first, long second, long third, long a, long b, long c, long d) {
            long element = choose(index, first, second, third);
            long x = choose(argument, first, second, third);
            long _ = OwnPlaces.add(Area.within(place + position + element * Long.BYTES), x);
        }
    }

    /**
     * A maximum or a minimum of an argument. It is kept as the bits in which it differs from the identity: the greater
     * ones stay.
     */
    record Extremum(long position, long identity, int argument) implements OwnUpdate {
        @Override
        public void make(long place, long first, long second, long third, long a, long b, long c, long d) {
            OwnPlaces.raise(place + position, choose(argument, first, second, third) ^ identity);
        }
    }
}
