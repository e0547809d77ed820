package dev.percpu.concurrent;

import static java.lang.Double.longBitsToDouble;

import dev.percpu.concurrent.PerCpuEvent.Argument;
import dev.percpu.internal.listing.Registry;
import dev.percpu.internal.protocol.Events;
import dev.percpu.internal.protocol.OwnUpdate;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Builds a {@link PerCpuEvent}: which variables it updates, in which way.
 *
 * <p>An event has at most {@value Events#MOST_UPDATES} updates; recording into a histogram counts as two, and combining
 * with a function of your own as none. The number of its arguments and of its histograms together is at most {@value
 * Events#MOST_VALUES}. Arguments are numbered without gaps, and {@code long}s come before {@code double}s.
 *
 * <p>A variable can have several updates, but not the same one twice: that is, with the same argument, or with a
 * constant both times. So {@code add(counter, FIRST)} goes with {@code increment(counter)}, but a second
 * {@code increment(counter)} does not: {@code add(counter, 2)} does both.
 *
 * <p>Each method throws {@link IllegalArgumentException} if the update does not fit with those before it. Then the
 * builder stays as it was.
 */
public final class EventBuilder {
    private static final int NONE = Events.NONE;

    private String name = "a PerCpuEvent";
    private final List<Part> parts = new ArrayList<>();
    private final List<BuiltEvent.Index> indexes = new ArrayList<>();
    private final List<OwnUpdate> checks = new ArrayList<>();
    private final List<BuiltEvent.Index> buckets = new ArrayList<>();
    private final List<BuiltEvent.Alone> alone = new ArrayList<>();
    private final Map<Argument, Use> uses = new EnumMap<>(Argument.class);

    /** Which updates each variable has already. */
    private final IdentityHashMap<Object, Set<String>> seen = new IdentityHashMap<>();

    private final List<Object> variables = new ArrayList<>();

    EventBuilder() {}

    /**
     * Gives the event a name.
     *
     * @param eventName for messages, not blank; it need not be unique. Listings have the variables of an event, and not
     *     the event
     */
    public EventBuilder name(String eventName) {
        name = Registry.checkName(eventName);
        return this;
    }

    /**
     * One update.
     *
     * @param bucket the number, among the histograms, of the one that counts in a bucket here, or {@link Events#NONE}
     * @param own the same update by a thread that has a place of its own; null if the one before does that, too
     */
    private record Part(
            Events.Update update, int bucket, @Nullable OwnUpdate own) {
        /** The addition of an argument, or of the constant if there is none. */
        private static Part addition(long position, int index, @Nullable Argument x, long constant) {
            int operand = x == null ? NONE : x.number;
            OwnUpdate own;
            if (index != NONE) {
                own = x == null
                        ? new OwnUpdate.ElementIncrement(position, index)
                        : new OwnUpdate.ElementAddition(position, index, operand);
            } else {
                own = x == null
                        ? new OwnUpdate.ConstantAddition(position, constant)
                        : new OwnUpdate.Addition(position, operand);
            }
            return new Part(Events.Update.add(position, index, operand, constant), NONE, own);
        }

        /** @param arguments how many there are; the buckets come behind them */
        private Events.Update update(int arguments) {
            return bucket == NONE ? update : update.atElement(arguments + bucket);
        }
    }

    /** By what an argument became a {@code long} or a {@code double}. */
    private record Use(boolean isDouble, Object variable) {}

    /** Adds 1 to the counter. */
    public EventBuilder increment(PerCpuCounter counter) {
        return add(counter, 1);
    }

    /** Adds a constant to the counter. */
    public EventBuilder add(PerCpuCounter counter, long x) {
        note(counter, "add", null, false, 1);
        parts.add(Part.addition(counter.position(), NONE, null, x));
        return this;
    }

    /** Adds an argument, a {@code long}, to the counter. */
    public EventBuilder add(PerCpuCounter counter, Argument x) {
        note(counter, "add", nonNull(x), false, 1);
        parts.add(Part.addition(counter.position(), NONE, x, 0));
        return this;
    }

    /** Adds a constant to the counter. */
    public EventBuilder add(PerCpuDoubleCounter counter, double x) {
        note(counter, "add", null, true, 1);
        return addDouble(counter, NONE, x);
    }

    /** Adds an argument, a {@code double}, to the counter. */
    public EventBuilder add(PerCpuDoubleCounter counter, Argument x) {
        note(counter, "add", nonNull(x), true, 1);
        return addDouble(counter, x.number, 0);
    }

    private EventBuilder addDouble(PerCpuDoubleCounter counter, int operand, double constant) {
        OwnUpdate own = new OwnEvent.DoubleAddition(counter, operand, constant);
        parts.add(new Part(Events.Update.addDouble(counter.position(), operand, constant), NONE, own));
        return this;
    }

    /**
     * Adds 1 to one counter of an array, always to the same.
     *
     * @throws IndexOutOfBoundsException if there is no such counter
     */
    public EventBuilder increment(PerCpuCounterArray counters, int index) {
        return add(counters, index, 1);
    }

    /**
     * Adds a constant to one counter of an array, always to the same.
     *
     * @throws IndexOutOfBoundsException if there is no such counter
     */
    public EventBuilder add(PerCpuCounterArray counters, int index, long x) {
        long position = counters.position(index);
        note(counters, "add at " + index, null, false, 1);
        parts.add(Part.addition(position, NONE, null, x));
        return this;
    }

    /**
     * Adds an argument, a {@code long}, to one counter of an array, always to the same.
     *
     * @throws IndexOutOfBoundsException if there is no such counter
     */
    public EventBuilder add(PerCpuCounterArray counters, int index, Argument x) {
        long position = counters.position(index);
        note(counters, "add at " + index, nonNull(x), false, 1);
        parts.add(Part.addition(position, NONE, x, 0));
        return this;
    }

    /**
     * Adds 1 to one counter of an array.
     *
     * @param index which one: an argument, a {@code long}. If there is no such counter, the call throws {@link
     *     IndexOutOfBoundsException} and updates nothing
     * @throws IllegalArgumentException also if the array is empty
     */
    public EventBuilder increment(PerCpuCounterArray counters, Argument index) {
        return addAt(counters, index, null);
    }

    /**
     * Adds an argument, a {@code long}, to one counter of an array.
     *
     * @param index which one, as in {@link #increment(PerCpuCounterArray, PerCpuEvent.Argument)}
     * @throws IllegalArgumentException also if the array is empty
     */
    public EventBuilder add(PerCpuCounterArray counters, Argument index, Argument x) {
        return addAt(counters, index, nonNull(x));
    }

    private EventBuilder addAt(PerCpuCounterArray counters, Argument index, @Nullable Argument x) {
        if (counters.length() == 0) {
            throw new IllegalArgumentException(name + " cannot update " + counters + ", as no index is in bounds");
        }
        checkType(nonNull(index), false, counters);
        note(counters, "add at " + index, x, false, 1);
        uses.putIfAbsent(index, new Use(false, counters));
        parts.add(Part.addition(counters.position(0), index.number, x, 1));
        indexes.add(new BuiltEvent.Index(counters::checkIndex, index.number));
        checks.add(new OwnEvent.IndexCheck(index.number, counters, counters.length()));
        return this;
    }

    /** Records an argument, a {@code long}, in the histogram. */
    public EventBuilder record(PerCpuHistogram histogram, Argument value) {
        note(histogram, "record", nonNull(value), false, 2);
        long bucketsAt = histogram.bucketsPosition();
        long sumAt = histogram.sumPosition();
        int bucket = buckets.size();
        OwnUpdate own = new OwnUpdate.HistogramRecord(bucketsAt, bucket, sumAt, value.number);
        parts.add(new Part(Events.Update.add(bucketsAt, NONE, NONE, 1), bucket, own));
        parts.add(new Part(Events.Update.add(sumAt, NONE, value.number, 0), NONE, null));
        buckets.add(new BuiltEvent.Index(histogram::bucketOf, value.number));
        return this;
    }

    /**
     * Combines an argument, a {@code long}, into the accumulator. If that is one of {@link PerCpuAccumulator#maximum()}
     * or {@link PerCpuAccumulator#minimum()}, this is an update like the others. Native code cannot call any other
     * function, so the event combines the argument in Java, after the other updates.
     */
    public EventBuilder accumulate(PerCpuAccumulator accumulator, Argument x) {
        Extreme extreme = accumulator.extreme();
        note(accumulator, "accumulate", nonNull(x), false, extreme == null ? 0 : 1);
        if (extreme == null) {
            return alone(accumulator::accumulate, x);
        }
        OwnUpdate own = new OwnUpdate.Extremum(accumulator.position(), extreme.identity, x.number);
        parts.add(new Part(Events.Update.max(accumulator.position(), x.number, extreme.identity), NONE, own));
        return this;
    }

    /** Combines an argument, a {@code double}, into the accumulator, in Java, after the other updates. */
    public EventBuilder accumulate(PerCpuDoubleAccumulator accumulator, Argument x) {
        note(accumulator, "accumulate", nonNull(x), true, 0);
        return alone(bits -> accumulator.accumulate(longBitsToDouble(bits)), x);
    }

    /**
     * Creates the event.
     *
     * @throws IllegalStateException if there are no updates, or none but those of accumulators with functions of their
     *     own; if the arguments have gaps, or a {@code double} comes before a {@code long}; or if the arguments and the
     *     histograms are too many together
     */
    public PerCpuEvent build() {
        if (parts.isEmpty()) {
            throw new IllegalStateException(
                    name + " has no update that native code can make: add one of a counter, of a"
                            + " histogram, or of an accumulator that maximum() or minimum() made");
        }
        int arguments = uses.size();
        int doubles = checkArguments(arguments);
        if (arguments + buckets.size() > Events.MOST_VALUES) {
            throw new IllegalStateException(name + " has " + arguments + " arguments and " + buckets.size()
                    + " histograms, together more than the " + Events.MOST_VALUES
                    + " values that a call passes: make two events of it");
        }
        // A loop: each lambda and stream would take the JVM a millisecond when the first event is built.
        List<Events.Update> updates = new ArrayList<>();
        List<OwnUpdate> ownUpdates = new ArrayList<>();
        for (Part part : parts) {
            updates.add(part.update(arguments));
            if (part.own() != null) {
                ownUpdates.add(part.own());
            }
        }
        return new BuiltEvent(
                name,
                Events.plan(updates),
                arguments - doubles,
                doubles,
                indexes.toArray(new BuiltEvent.Index[0]),
                buckets.toArray(new BuiltEvent.Index[0]),
                alone.toArray(new BuiltEvent.Alone[0]),
                OwnEvent.of(new OwnEvent.Parts(checks, buckets, ownUpdates)),
                List.copyOf(variables));
    }

    private EventBuilder alone(LongConsumer update, Argument x) {
        alone.add(new BuiltEvent.Alone(update, x.number));
        return this;
    }

    private static Argument nonNull(Argument argument) {
        return Objects.requireNonNull(argument, "argument");
    }

    /**
     * Notes an update, unless it is refused: nothing changes then.
     *
     * @param argument null for a constant
     * @param isDouble whether the argument is a {@code double}, and not a {@code long}
     * @param updates how many more there will be
     */
    private void note(Object variable, String update, @Nullable Argument argument, boolean isDouble, int updates) {
        Objects.requireNonNull(variable, "variable");
        if (parts.size() + updates > Events.MOST_UPDATES) {
            throw new IllegalArgumentException(name + " would have " + (parts.size() + updates)
                    + " updates, and an event has at most " + Events.MOST_UPDATES
                    + ", of which a histogram takes two: make two events of it");
        }
        if (argument != null) {
            checkType(argument, isDouble, variable);
        }
        seen.putIfAbsent(variable, new HashSet<>());
        if (!seen.get(variable).add(update.concat(" ").concat(String.valueOf(argument)))) {
            throw new IllegalArgumentException(name + " already has the update '" + update + " "
                    + (argument == null ? "a constant" : argument) + "' of this " + type(variable)
                    + ": leave one out" + (update.startsWith("add") ? ", or add the sum of both" : ""));
        }
        variables.add(variable);
        if (argument != null) {
            uses.putIfAbsent(argument, new Use(isDouble, variable));
        }
    }

    private void checkType(Argument argument, boolean isDouble, Object variable) {
        Use before = uses.get(argument);
        if (before != null && before.isDouble != isDouble) {
            throw new IllegalArgumentException("the argument " + argument + " of " + name + " is a "
                    + (isDouble ? "double for this " : "long for this ") + type(variable) + " and a "
                    + (isDouble ? "long for a " : "double for a ") + type(before.variable)
                    + ": give each an argument of its own");
        }
    }

    /** Returns how many are doubles. */
    private int checkArguments(int arguments) {
        int doubles = 0;
        for (Argument argument : Argument.values()) {
            Use use = uses.get(argument);
            if (use == null) {
                if (argument.number < arguments) {
                    throw new IllegalStateException(name + " uses " + uses.keySet() + " of its arguments, but not "
                            + argument + ": number them without gaps");
                }
                continue;
            }
            if (!use.isDouble && doubles > 0) {
                throw new IllegalStateException("the argument " + argument + " of " + name
                        + " is a long and one before it a double: pass the longs first");
            }
            doubles += use.isDouble ? 1 : 0;
        }
        return doubles;
    }

    private static String type(Object variable) {
        return variable.getClass().getSimpleName();
    }
}
