package dev.percpu.concurrent;

import static java.lang.Double.longBitsToDouble;

import dev.percpu.concurrent.PerCpuEvent.Argument;
import dev.percpu.internal.Registry;
import dev.percpu.internal.code.EventShape;
import dev.percpu.internal.code.Op;
import dev.percpu.internal.protocol.Events;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.LongConsumer;
import java.util.function.LongToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Says what a {@link PerCpuEvent} does to which variables.
 *
 * <p>An event has at most {@value #MOST_UPDATES} updates; recording into a histogram counts as two. Its arguments, and
 * the histograms and elements of arrays that it updates, are together at most {@value EventShape#MOST_VALUES}. Arguments
 * are numbered without gaps, and {@code long}s come before {@code double}s.
 *
 * <p>Each method throws {@link IllegalArgumentException} if the update does not fit with those before it.
 */
public final class EventBuilder {
    private static final int MOST_UPDATES = 16;

    private static final int NONE = EventShape.NONE;

    private final String name;
    private final List<Part> parts = new ArrayList<>();
    private final List<PerCpuEvent.Element> elements = new ArrayList<>();
    private final List<PerCpuEvent.Alone> alone = new ArrayList<>();
    private final Map<Argument, Use> uses = new EnumMap<>(Argument.class);
    private final Set<Object> seen = new HashSet<>();
    private final List<Object> variables = new ArrayList<>();

    EventBuilder(String name) {
        this.name = Registry.checkName(name);
    }

    /**
     * One update.
     *
     * @param element its number among the elements, or {@link EventShape#NONE}
     * @param operand the argument's number, or {@link EventShape#NONE} if it is the constant
     */
    private record Part(Op op, boolean gated, long position, int element, int operand, boolean differs, long constant) {
        /** @param arguments how many there are; the elements' indexes come behind them */
        private EventShape.Update update(int arguments) {
            return new EventShape.Update(op, gated, element == NONE ? NONE : arguments + element, operand, differs);
        }
    }

    /** By what an argument became a {@code long} or a {@code double}. */
    private record Use(boolean isDouble, Object variable) {}

    /** What must not be there twice. Variables are told apart by identity. */
    private record Key(int identity, Object variable, String update) {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key key && key.variable == variable && key.update.equals(update);
        }

        @Override
        public int hashCode() {
            return identity ^ update.hashCode();
        }
    }

    /** Adds 1 to the counter. */
    public EventBuilder increment(PerCpuCounter counter) {
        return add(counter, 1);
    }

    /** Adds a number that is always the same to the counter. */
    public EventBuilder add(PerCpuCounter counter, long x) {
        check(counter, "add", null, 1);
        parts.add(new Part(Op.ADD, false, counter.position(), NONE, NONE, false, x));
        return this;
    }

    /** Adds an argument, a {@code long}, to the counter. */
    public EventBuilder add(PerCpuCounter counter, Argument x) {
        check(counter, "add", x, 1);
        useLong(x, counter);
        parts.add(new Part(Op.ADD, false, counter.position(), NONE, x.ordinal(), false, 0));
        return this;
    }

    /** Adds an argument, a {@code double}, to the counter. */
    public EventBuilder add(PerCpuDoubleCounter counter, Argument x) {
        check(counter, "add", x, 1);
        use(x, true, counter);
        parts.add(new Part(Op.ADD_DOUBLE, true, counter.position(), NONE, x.ordinal(), false, 0));
        return this;
    }

    /** Records an argument, a {@code long}, in the histogram. */
    public EventBuilder record(PerCpuHistogram histogram, Argument value) {
        check(histogram, "record", value, 2);
        useLong(value, histogram);
        int element = element(histogram::bucketOf, value);
        parts.add(new Part(Op.ADD, false, histogram.bucketsPosition(), element, NONE, false, 1));
        parts.add(new Part(Op.ADD, false, histogram.sumPosition(), NONE, value.ordinal(), false, 0));
        return this;
    }

    /**
     * Combines an argument, a {@code long}, into the accumulator. If that is one of {@link PerCpuAccumulator#maximum()}
     * or {@link PerCpuAccumulator#minimum()}, this is an update like the others. Native code cannot call any other
     * function, so the event combines the argument in Java, after the other updates.
     */
    public EventBuilder accumulate(PerCpuAccumulator accumulator, Argument x) {
        Extreme extreme = accumulator.extreme();
        check(accumulator, "accumulate", x, extreme == null ? 0 : 1);
        useLong(x, accumulator);
        if (extreme == null) {
            return alone(accumulator::accumulate, x);
        }
        parts.add(new Part(Op.MAX, true, accumulator.position(), NONE, x.ordinal(), true, extreme.identity));
        return this;
    }

    /** Combines an argument, a {@code double}, into the accumulator, in Java, after the other updates. */
    public EventBuilder accumulate(PerCpuDoubleAccumulator accumulator, Argument x) {
        check(accumulator, "accumulate", x, 0);
        use(x, true, accumulator);
        return alone(bits -> accumulator.accumulate(longBitsToDouble(bits)), x);
    }

    /**
     * Makes the event.
     *
     * @throws IllegalStateException if the updates so far make no event
     */
    public PerCpuEvent build() {
        if (parts.isEmpty()) {
            throw new IllegalStateException(name + " updates nothing in its call: an event has at least one update"
                    + " of a counter, a histogram, or an accumulator made by maximum() or minimum()");
        }
        int arguments = uses.size();
        int doubles = checkArguments(arguments);
        if (arguments + elements.size() > EventShape.MOST_VALUES) {
            throw new IllegalStateException(name + " has " + arguments + " arguments and " + elements.size()
                    + " histograms or elements of arrays, together more than the " + EventShape.MOST_VALUES
                    + " that a call passes: make two events of it");
        }
        EventShape shape = new EventShape(
                parts.stream().map(part -> part.update(arguments)).toList());
        long[] words = new long[parts.size() * EventShape.WORDS];
        for (int i = 0; i < parts.size(); i++) {
            words[i * EventShape.WORDS] = parts.get(i).position();
            words[i * EventShape.WORDS + 1] = parts.get(i).constant();
        }
        return new PerCpuEvent(
                name,
                Events.CURRENT.plan(shape, words),
                arguments - doubles,
                doubles,
                List.copyOf(elements),
                List.copyOf(alone),
                List.copyOf(variables));
    }

    private EventBuilder alone(LongConsumer update, Argument x) {
        alone.add(new PerCpuEvent.Alone(update, x.ordinal()));
        return this;
    }

    private int element(LongToIntFunction among, Argument argument) {
        elements.add(new PerCpuEvent.Element(among, argument.ordinal()));
        return elements.size() - 1;
    }

    /** @param updates how many more there will be */
    private void check(Object variable, String update, @Nullable Argument argument, int updates) {
        Objects.requireNonNull(variable, "variable");
        if (parts.size() + updates > MOST_UPDATES) {
            throw new IllegalArgumentException(name + " would have " + (parts.size() + updates)
                    + " updates, and an event has at most " + MOST_UPDATES
                    + ", of which a histogram takes two: make two events of it");
        }
        if (!seen.add(new Key(System.identityHashCode(variable), variable, update + " " + argument))) {
            throw new IllegalArgumentException(name + " already has the update '" + update + " "
                    + (argument == null ? "a constant" : argument) + "' of this " + type(variable)
                    + ": leave one out, or add a constant that is the sum of both");
        }
        variables.add(variable);
    }

    private void useLong(Argument argument, Object variable) {
        use(argument, false, variable);
    }

    private void use(Argument argument, boolean isDouble, Object variable) {
        Use before = uses.putIfAbsent(argument, new Use(isDouble, variable));
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
                if (argument.ordinal() < arguments) {
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
