package dev.percpu.stress.subject;

import static dev.percpu.concurrent.PerCpuEvent.Argument.FIRST;
import static dev.percpu.concurrent.PerCpuEvent.Argument.SECOND;
import static dev.percpu.concurrent.PerCpuEvent.Argument.THIRD;

import dev.percpu.concurrent.EventBuilder;
import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuDoubleAccumulator;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import dev.percpu.concurrent.PerCpuEvent;
import dev.percpu.concurrent.PerCpuHistogram;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;

/**
 * An event with up to three arguments, and with any updates of variables that no other event has. It knows what each
 * variable must have come to.
 */
final class RandomEvent {
    /** The first argument is below, as it is an index too. */
    private static final int ELEMENTS = 4;

    private static final long CONSTANT = -3;

    /** How many arguments {@code record} takes: two {@code long}s and a {@code double} at most. */
    private final int arguments;

    private final PerCpuEvent event;

    private final LongAdder records = new LongAdder();
    private final LongAdder firsts = new LongAdder();
    private final LongAdder seconds = new LongAdder();
    private final LongAdder halves = new LongAdder();
    private final LongAccumulator least = new LongAccumulator(Long::min, Long.MAX_VALUE);
    private final LongAccumulator greatest = new LongAccumulator(Long::max, Long.MIN_VALUE);
    private final List<Runnable> checks = new ArrayList<>();

    RandomEvent(RandomGenerator random) {
        arguments = random.nextInt(4);
        EventBuilder builder = PerCpuEvent.builder().name("event of any shape");
        List<Runnable> updates = new ArrayList<>(updates(builder));
        Collections.shuffle(updates, random);
        updates.subList(random.nextInt(updates.size() + 1), updates.size()).clear();
        updates.addAll(random.nextInt(updates.size() + 1), necessary(builder));
        updates.forEach(Runnable::run);
        event = builder.build();
    }

    /** So that there is an update of each argument. */
    private List<Runnable> necessary(EventBuilder builder) {
        List<Runnable> necessary = new ArrayList<>();
        necessary.add(() -> {
            PerCpuCounter counter = new PerCpuCounter();
            builder.increment(counter);
            check("a counter", records, counter);
        });
        if (arguments > 0) {
            necessary.add(() -> {
                PerCpuCounter counter = new PerCpuCounter();
                builder.add(counter, FIRST);
                check("a counter of the first argument", firsts, counter);
            });
        }
        if (arguments > 1) {
            necessary.add(() -> {
                PerCpuCounter counter = new PerCpuCounter();
                builder.add(counter, SECOND);
                check("a counter of the second argument", seconds, counter);
            });
        }
        if (arguments > 2) {
            necessary.add(() -> {
                PerCpuDoubleCounter counter = new PerCpuDoubleCounter();
                builder.add(counter, THIRD);
                checks.add(() -> Subject.expect("a double counter", halves.sum(), (long) (2 * counter.sum())));
            });
        }
        return necessary;
    }

    private List<Runnable> updates(EventBuilder builder) {
        List<Runnable> updates = new ArrayList<>();
        updates.add(() -> {
            PerCpuCounter counter = new PerCpuCounter();
            builder.add(counter, CONSTANT);
            checks.add(() -> Subject.expect("a counter of a constant", CONSTANT * records.sum(), counter.sum()));
        });
        if (arguments > 0) {
            updates.add(() -> {
                PerCpuCounterArray counters = new PerCpuCounterArray(ELEMENTS);
                builder.increment(counters, FIRST);
                checks.add(() -> {
                    long[] sums = counters.sums();
                    Subject.expect("counters of an array", records.sum(), sums[0] + sums[1] + sums[2] + sums[3]);
                    Subject.expect("their indexes", firsts.sum(), sums[1] + 2 * sums[2] + 3 * sums[3]);
                });
            });
            updates.add(() -> {
                PerCpuHistogram bounded = PerCpuHistogram.builder().bounds(1, 2).build();
                builder.record(bounded, FIRST);
                checks.add(() -> {
                    Subject.expect("values", records.sum(), bounded.snapshot().count());
                    Subject.expect(
                            "sum of values", firsts.sum(), bounded.snapshot().sum());
                });
            });
        }
        if (arguments > 1) {
            updates.add(() -> {
                PerCpuHistogram histogram =
                        PerCpuHistogram.builder().highestTrackable(1_000_000).build();
                builder.record(histogram, SECOND);
                checks.add(() -> {
                    Subject.expect(
                            "second values", records.sum(), histogram.snapshot().count());
                    Subject.expect(
                            "sum of second values",
                            seconds.sum(),
                            histogram.snapshot().sum());
                });
            });
            updates.add(() -> {
                PerCpuAccumulator minimum = PerCpuAccumulator.minimum();
                builder.accumulate(minimum, SECOND);
                checks.add(() -> Subject.expect("least", least.get(), minimum.get()));
            });
            updates.add(() -> {
                PerCpuAccumulator maximum = PerCpuAccumulator.maximum();
                builder.accumulate(maximum, SECOND);
                checks.add(() -> Subject.expect("greatest", greatest.get(), maximum.get()));
            });
            updates.add(() -> {
                PerCpuAccumulator sum = new PerCpuAccumulator(Long::sum, 0);
                builder.accumulate(sum, SECOND);
                checks.add(() -> Subject.expect("an accumulator", seconds.sum(), sum.get()));
            });
        }
        if (arguments > 2) {
            updates.add(() -> {
                PerCpuDoubleAccumulator sum = new PerCpuDoubleAccumulator(Double::sum, 0);
                builder.accumulate(sum, THIRD);
                checks.add(() -> Subject.expect("a double accumulator", halves.sum(), (long) (2 * sum.get())));
            });
        }
        return updates;
    }

    private void check(String what, LongAdder expected, PerCpuCounter counter) {
        checks.add(() -> Subject.expect(what, expected.sum(), counter.sum()));
    }

    PerCpuEvent event() {
        return event;
    }

    /** Records any values. */
    void record(RandomGenerator random) {
        long first = random.nextInt(ELEMENTS);
        long second = random.nextInt(-100, 1_000_000);
        int half = random.nextInt(4);
        record(event, arguments, first, second, half / 2.0);
        records.increment();
        firsts.add(first);
        seconds.add(second);
        halves.add(half);
        least.accumulate(second);
        greatest.accumulate(second);
    }

    /** How many arguments {@link #record(PerCpuEvent, int, long, long, double)} has to pass. */
    int arguments() {
        return arguments;
    }

    static void record(PerCpuEvent event, int arguments, long first, long second, double third) {
        switch (arguments) {
            case 0 -> event.record();
            case 1 -> event.record(first);
            case 2 -> event.record(first, second);
            default -> event.record(first, second, third);
        }
    }

    /** Checks all variables. Nobody uses the event any more. */
    void verify() {
        checks.forEach(Runnable::run);
    }
}
