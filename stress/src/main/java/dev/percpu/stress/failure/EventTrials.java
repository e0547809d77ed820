package dev.percpu.stress.failure;

import dev.percpu.concurrent.EventBuilder;
import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import dev.percpu.concurrent.PerCpuEvent;
import dev.percpu.concurrent.PerCpuEvent.Argument;
import dev.percpu.concurrent.PerCpuHistogram;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Events: of one addition each, with each list of arguments, and of one update of each kind. */
final class EventTrials {
    private static final List<Argument> ARGUMENTS = List.of(Argument.FIRST, Argument.SECOND, Argument.THIRD);

    private EventTrials() {}

    static List<Operation> all() {
        return each().map(operation -> operation.also(Variant.HOT)).toList();
    }

    private static Stream<Operation> each() {
        return Stream.of(
                new Operation("event record", "PerCpuEvent.record()", () -> {
                    PerCpuCounter counter = new PerCpuCounter();
                    PerCpuEvent event = PerCpuEvent.builder().increment(counter).build();
                    return new Adding(event::record, counter::sum);
                }),
                adding("long", 1, 0, event -> event.record(1)),
                adding("long, long", 2, 0, event -> event.record(0, 1)),
                adding("long, long, long", 3, 0, event -> event.record(0, 0, 1)),
                adding("double", 0, 1, event -> event.record(1.0)),
                adding("long, double", 1, 1, event -> event.record(0, 1.0)),
                adding("double, double", 0, 2, event -> event.record(0.0, 1.0)),
                adding("long, double, double", 1, 2, event -> event.record(0, 0.0, 1.0)),
                adding("double, double, double", 0, 3, event -> event.record(0.0, 0.0, 1.0)),
                new Operation("event record of everything", "PerCpuEvent.record(long, long, double)", Recording::new));
    }

    /** Of the arguments, longs before doubles, the last one is 1, and the others are 0. */
    private static Operation adding(String arguments, int longs, int doubles, Consumer<PerCpuEvent> call) {
        return new Operation("event record " + arguments, "PerCpuEvent.record(" + arguments + ")", () -> {
            PerCpuCounter counter = new PerCpuCounter();
            PerCpuDoubleCounter doubleCounter = new PerCpuDoubleCounter();
            EventBuilder builder = PerCpuEvent.builder();
            for (Argument argument : ARGUMENTS.subList(0, longs)) {
                builder = builder.add(counter, argument);
            }
            for (Argument argument : ARGUMENTS.subList(longs, longs + doubles)) {
                builder = builder.add(doubleCounter, argument);
            }
            PerCpuEvent event = builder.build();
            return new Adding(() -> call.accept(event), () -> counter.sum() + (long) doubleCounter.sum());
        });
    }

    /** An event is not a transaction, but each of its updates is done or not, and all are if it returns. */
    private static final class Recording extends Trial {
        private final PerCpuCounter counter = new PerCpuCounter();
        private final PerCpuCounterArray array = new PerCpuCounterArray(2);
        private final PerCpuHistogram histogram =
                PerCpuHistogram.builder().bounds(1, 10).build();
        private final PerCpuAccumulator maximum = PerCpuAccumulator.maximum();
        private final PerCpuDoubleCounter doubles = new PerCpuDoubleCounter();
        private final PerCpuEvent event = PerCpuEvent.builder()
                .increment(counter)
                .add(array, Argument.FIRST, Argument.SECOND)
                .record(histogram, Argument.FIRST)
                .accumulate(maximum, Argument.SECOND)
                .add(doubles, Argument.THIRD)
                .build();
        private final List<LongSupplier> totals = List.of(
                counter::sum,
                () -> array.sum(1),
                () -> histogram.snapshot().count(),
                () -> histogram.snapshot().sum(),
                () -> (long) doubles.sum());
        private final long[] before = new long[totals.size()];
        private long greatest = Long.MIN_VALUE;

        @Override
        void act() {
            event.record(1, 1, 1.0);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) {
            boolean all = true;
            for (int i = 0; i < before.length; i++) {
                long was = before[i];
                before[i] = totals.get(i).getAsLong();
                all &= beforeOrAfter("update " + i, was, was + 1, before[i], thrown);
            }
            long found = maximum.get();
            check(found == 1 || (thrown != null && found == greatest), "a maximum of " + found);
            greatest = found;
            return all;
        }
    }
}
