package dev.percpu.concurrent;

import static java.lang.Double.doubleToRawLongBits;

import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.internal.protocol.Events;
import dev.percpu.internal.protocol.OwnUpdate;
import dev.percpu.internal.protocol.Reachability;
import java.lang.ref.Reference;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.function.LongToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The event that a builder makes.
 *
 * @param longs how many arguments are whole numbers; they come first
 * @param doubles how many are floating-point numbers
 * @param indexes check the arguments that are indexes of an array's counters
 * @param buckets compute in which bucket a histogram counts an argument
 * @param alone what takes a call of its own, after the others
 * @param own what a thread does that has a place of its own
 * @param variables only so that they stay reachable
 */
@SuppressWarnings("ArrayRecordComponent") // nobody else has them; for arrays the JIT compiler makes the fewest checks
record BuiltEvent(
        String name,
        Events.Plan plan,
        int longs,
        int doubles,
        Index[] indexes,
        Index[] buckets,
        Alone[] alone,
        @Nullable OwnEvent own,
        List<Object> variables)
        implements PerCpuEvent {
    /*
     * The call has a restartable section for each update. Its code depends on the event's shape only: which operations,
     * in which order, with which of the values that the call passes. Code is emitted once for each shape. It finds the
     * numbers through a table that belongs to the event. See EventShape and Events.
     *
     * The call's values are first the arguments, and then the indexes of histograms' buckets, which are computed here.
     * An argument that is itself an index is checked here. So a wrong argument shows before the first update.
     *
     * The table belongs to this object, and so do the positions in it, which are those of variables that this object
     * refers to. All must stay until the call returns:
     *
     *   thread T                                   the garbage collector, and thread U
     *   1. loads the table's address; uses this
     *      object for the last time
     *                                              2. finds object, table and variables unreachable
     *                                              3. the variables' positions are given back
     *                                              4. U makes a counter, which gets one of them
     *   5. calls: adds to U's counter
     *
     * Hence the fences.
     *
     * It is a record because the JIT compiler trusts a record's fields. For an event in a static final field it knows
     * all that is in them, down to the positions in OwnEvent. It trusts final fields of no other class that a library
     * can write, so PerCpuEvent is an interface.
     */
    private static final Events EVENTS = Events.CURRENT;

    static {
        Reachability.initialize();
    }

    /** Computes an index from an argument: of an array's counter, or of a histogram's bucket. */
    record Index(LongToIntFunction function, int argument) {
        int compute(long first, long second, long third) {
            return function.applyAsInt(OwnUpdate.choose(argument, first, second, third));
        }
    }

    /** An update that takes a call of its own. */
    record Alone(LongConsumer update, int argument) {
        private void run(long first, long second, long third) {
            update.accept(OwnUpdate.choose(argument, first, second, third));
        }
    }

    @Override
    public void record() {
        record(0, 0, 0, 0, 0);
    }

    @Override
    public void record(long first) {
        record(1, 1, first, 0, 0);
    }

    @Override
    public void record(long first, long second) {
        record(2, 2, first, second, 0);
    }

    @Override
    public void record(long first, long second, long third) {
        record(3, 3, first, second, third);
    }

    @Override
    public void record(double first) {
        record(1, 0, doubleToRawLongBits(first), 0, 0);
    }

    @Override
    public void record(long first, double second) {
        record(2, 1, first, doubleToRawLongBits(second), 0);
    }

    @Override
    public void record(double first, double second) {
        record(2, 0, doubleToRawLongBits(first), doubleToRawLongBits(second), 0);
    }

    @Override
    public void record(long first, long second, double third) {
        record(3, 2, first, second, doubleToRawLongBits(third));
    }

    @Override
    public void record(long first, double second, double third) {
        record(3, 1, first, doubleToRawLongBits(second), doubleToRawLongBits(third));
    }

    @Override
    public void record(double first, double second, double third) {
        record(3, 0, doubleToRawLongBits(first), doubleToRawLongBits(second), doubleToRawLongBits(third));
    }

    /**
     * @param count how many arguments there are; a constant in each caller
     * @param longsPassed how many of them are {@code long}s; the others are the bits of {@code double}s
     */
    private void record(int count, int longsPassed, long first, long second, long third) {
        if (longsPassed == longs && count == longs + doubles) {
            update(count, first, second, third);
        } else {
            convert(count, longsPassed, first, second, third);
        }
    }

    private void convert(int count, int longsPassed, long first, long second, long third) {
        if (longsPassed < longs || count != longs + doubles) {
            throw new IllegalArgumentException(name + " takes " + arguments(longs, doubles) + ", not "
                    + arguments(longsPassed, count - longsPassed));
        }
        update(
                count,
                longs == 0 ? doubleToRawLongBits((double) first) : first,
                longs <= 1 && longsPassed >= 2 ? doubleToRawLongBits((double) second) : second,
                longsPassed == 3 ? doubleToRawLongBits((double) third) : third);
    }

    private static String arguments(int longs, int doubles) {
        if (longs + doubles == 0) {
            return "no argument";
        }
        String first = longs == 0 ? "" : longs + (longs == 1 ? " long" : " longs");
        String second = doubles == 0 ? "" : doubles + (doubles == 1 ? " double" : " doubles");
        return first + (longs == 0 || doubles == 0 ? "" : " and ") + second;
    }

    private void update(int count, long first, long second, long third) {
        try {
            if (own == null || !OwnPlaces.hasMine()) {
                call(count, first, second, third);
            } else {
                long place = OwnUpdate.place();
                own.update(place, first, second, third);
                Reachability.untilUpdated(this, place);
            }
            if (alone.length > 0) {
                updateAlone(first, second, third);
            }
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private void call(int count, long first, long second, long third) {
        if (own != null) {
            OwnPlaces.missed();
        }
        switch (indexes.length) {
            case 0 -> {}
            case 1 -> {
                long _ = indexes[0].compute(first, second, third);
            }
            default -> checkIndexes(first, second, third);
        }
        switch (buckets.length) {
            case 0 -> EVENTS.update(plan, first, second, third);
            case 1 -> updateBucket(count, first, second, third);
            default -> updateBuckets(count, first, second, third);
        }
    }

    private void updateBucket(int count, long first, long second, long third) {
        long bucket = buckets[0].compute(first, second, third);
        switch (count) {
            case 1 -> EVENTS.update(plan, first, bucket, 0);
            case 2 -> EVENTS.update(plan, first, second, bucket);
            default -> EVENTS.update(plan, first, second, third, bucket, 0);
        }
    }

    private void checkIndexes(long first, long second, long third) {
        for (Index index : indexes) {
            long _ = index.compute(first, second, third);
        }
    }

    private void updateBuckets(int count, long first, long second, long third) {
        long[] values = {first, second, third, 0, 0};
        for (int i = 0; i < buckets.length; i++) {
            values[count + i] = buckets[i].compute(first, second, third);
        }
        // The call that was linked when the event was built: linking the other one takes long, and can fail.
        if (count + buckets.length <= Events.FEWEST_VALUES) {
            EVENTS.update(plan, values[0], values[1], values[2]);
        } else {
            EVENTS.update(plan, values[0], values[1], values[2], values[3], values[4]);
        }
    }

    private void updateAlone(long first, long second, long third) {
        for (Alone update : alone) {
            update.run(first, second, third);
        }
    }

    /** An event is equal to itself only, as any other object is that has a state. */
    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }

    @Override
    public String toString() {
        return name + ": takes " + arguments(longs, doubles) + ", updates " + variables.size() + " variables";
    }
}
