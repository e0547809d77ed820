package dev.percpu.concurrent;

import static java.lang.Double.doubleToRawLongBits;

import dev.percpu.internal.code.EventShape;
import dev.percpu.internal.protocol.Events;
import java.lang.ref.Reference;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.function.LongToIntFunction;

/**
 * Updates several variables in one call, when one thing happens in a program. For example, a server counts each request
 * and its bytes, and records its latency.
 *
 * <pre>{@code
 * import static dev.percpu.concurrent.PerCpuEvent.Argument.*;
 *
 * static final PerCpuEvent SERVED = PerCpuEvent.builder("served")
 *         .increment(requests)
 *         .add(bytes, FIRST)
 *         .record(latency, SECOND)
 *         .accumulate(slowest, SECOND)
 *         .build();
 *
 * SERVED.record(byteCount, nanos);
 * }</pre>
 *
 * <p>Most of what a single update costs is the call into native code. An event makes one call for all of its updates.
 * The variables stay what they are: they can be read, reset, and updated without the event as well.
 *
 * <p><b>Arguments.</b> Each call of {@code record} passes as many numbers as the updates use: first those that are
 * {@code long}s, then those that are {@code double}s. As in any call, a {@code long} is converted where a
 * {@code double} is expected. A call with other arguments throws {@link IllegalArgumentException}, and updates nothing.
 *
 * <p><b>Exactness.</b> Each update is exact, as if its variable's own method had been called. An event is not a
 * transaction: another thread can see some of its updates before the others, and the scheduler may move the thread to
 * another CPU between two updates. The updates are made in the order in which the builder got them; only accumulators
 * with functions of their own come after all others.
 *
 * <p><b>Errors.</b> If a histogram is closed, or an index is out of an array's bounds, the call throws what the
 * variable's own method would, and updates nothing. If an accumulator's function throws, the other updates have
 * been made.
 *
 * <p><b>Ordering.</b> Updates are opaque, as single ones are, and order nothing else.
 *
 * <p><b>Memory.</b> An event takes 16 bytes off the heap for each update, which are given back once it is unreachable.
 * It keeps its variables reachable. There is nothing to close.
 */
public final class PerCpuEvent {
    /*
     * The call has a restartable section for each update. Its code depends on the event's shape only: which operations,
     * in which order, with which of the values that the call passes. Code is emitted once for each shape. It finds the
     * numbers through a table that belongs to the event. See EventShape and Events.
     *
     * The call's values are first the arguments, and then the indexes of histograms' buckets, which are computed here.
     * An argument that is itself an index is checked here. So what is wrong with an argument shows before the first
     * update.
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
     */
    private static final Events EVENTS = Events.CURRENT;

    private final String name;
    private final Events.Plan plan;
    private final int longs;
    private final int doubles;

    // Each call reads these. For arrays of final classes, the JIT compiler has the fewest checks to make.
    private final Element[] indexes;
    private final Element[] elements;
    private final Alone[] alone;

    /** Only so that they stay reachable. */
    @SuppressWarnings({"unused", "FieldCanBeLocal"})
    private final List<Object> variables;

    /** An argument of {@code record}, by its number. */
    public enum Argument {
        /** The first one. */
        FIRST(0),

        /** The second one. */
        SECOND(1),

        /** The third one. */
        THIRD(2);

        final int number;

        Argument(int number) {
            this.number = number;
        }
    }

    /** Which number of several an argument decides on. */
    record Element(LongToIntFunction among, int argument) {
        private long index(long first, long second, long third) {
            return among.applyAsInt(choose(argument, first, second, third));
        }
    }

    /** An update that takes a call of its own. */
    record Alone(LongConsumer update, int argument) {
        private void run(long first, long second, long third) {
            update.accept(choose(argument, first, second, third));
        }
    }

    PerCpuEvent(
            String name,
            Events.Plan plan,
            int longs,
            int doubles,
            List<Element> indexes,
            List<Element> elements,
            List<Alone> alone,
            List<Object> variables) {
        this.name = name;
        this.plan = plan;
        this.longs = longs;
        this.doubles = doubles;
        this.indexes = indexes.toArray(Element[]::new);
        this.elements = elements.toArray(Element[]::new);
        this.alone = alone.toArray(Alone[]::new);
        this.variables = variables;
    }

    /** Starts an event: the builder collects its updates. */
    public static EventBuilder builder() {
        return new EventBuilder("a PerCpuEvent");
    }

    /**
     * Starts an event: the builder collects its updates.
     *
     * @param name for messages; it need not be unique
     */
    public static EventBuilder builder(String name) {
        return new EventBuilder(name);
    }

    /** Makes the updates of an event without arguments. */
    public void record() {
        record(0, 0, 0, 0, 0);
    }

    /** Makes the updates of an event with this argument. */
    public void record(long first) {
        record(1, 1, first, 0, 0);
    }

    /** Makes the updates of an event with these arguments. */
    public void record(long first, long second) {
        record(2, 2, first, second, 0);
    }

    /** Makes the updates of an event with these arguments. */
    public void record(long first, long second, long third) {
        record(3, 3, first, second, third);
    }

    /** Makes the updates of an event with this argument. */
    public void record(double first) {
        record(1, 0, doubleToRawLongBits(first), 0, 0);
    }

    /** Makes the updates of an event with these arguments. */
    public void record(long first, double second) {
        record(2, 1, first, doubleToRawLongBits(second), 0);
    }

    /** Makes the updates of an event with these arguments. */
    public void record(double first, double second) {
        record(2, 0, doubleToRawLongBits(first), doubleToRawLongBits(second), 0);
    }

    /** Makes the updates of an event with these arguments. */
    public void record(long first, long second, double third) {
        record(3, 2, first, second, doubleToRawLongBits(third));
    }

    /** Makes the updates of an event with these arguments. */
    public void record(long first, double second, double third) {
        record(3, 1, first, doubleToRawLongBits(second), doubleToRawLongBits(third));
    }

    /** Makes the updates of an event with these arguments. */
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
            switch (indexes.length) {
                case 0 -> {}
                case 1 -> {
                    long _ = indexes[0].index(first, second, third);
                }
                default -> checkIndexes(first, second, third);
            }
            switch (elements.length) {
                case 0 -> EVENTS.update(plan, first, second, third);
                case 1 -> {
                    long index = elements[0].index(first, second, third);
                    switch (count) {
                        case 1 -> EVENTS.update(plan, first, index, 0);
                        case 2 -> EVENTS.update(plan, first, second, index);
                        default -> EVENTS.update(plan, first, second, third, index, 0);
                    }
                }
                default -> updateElements(count, first, second, third);
            }
            if (alone.length > 0) {
                updateAlone(first, second, third);
            }
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private void checkIndexes(long first, long second, long third) {
        for (Element index : indexes) {
            long _ = index.index(first, second, third);
        }
    }

    private void updateElements(int count, long first, long second, long third) {
        long[] values = {first, second, third, 0, 0};
        for (int i = 0; i < elements.length; i++) {
            values[count + i] = elements[i].index(first, second, third);
        }
        // The call that was linked when the event was built: linking the other one takes long, and can fail.
        if (count + elements.length <= EventShape.FEWEST_VALUES) {
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

    private static long choose(int argument, long first, long second, long third) {
        return switch (argument) {
            case 0 -> first;
            case 1 -> second;
            default -> third;
        };
    }

    /** The table, for tests. */
    Object table() {
        return plan.table();
    }

    /** The name, the arguments and the number of variables. */
    @Override
    public String toString() {
        return name + ": takes " + arguments(longs, doubles) + ", updates " + variables.size() + " variables";
    }
}
