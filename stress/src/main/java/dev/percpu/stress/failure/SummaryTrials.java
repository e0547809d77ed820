package dev.percpu.stress.failure;

import dev.percpu.concurrent.HistogramInterval;
import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuDoubleAccumulator;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.concurrent.PerCpuSummary;
import java.util.List;
import java.util.function.LongSupplier;

/** Summaries, the intervals of a histogram, and resets without a result. */
final class SummaryTrials {
    private SummaryTrials() {}

    static List<Operation> all() {
        return List.of(
                new Operation("summary accept", "PerCpuSummary.accept(long)", _ -> {
                    PerCpuSummary summary = new PerCpuSummary();
                    return new CounterTrials.Adding(() -> summary.accept(1), () -> count(summary.summary()));
                }),
                new Operation("summary summary", "PerCpuSummary.summary()", _ -> {
                    PerCpuSummary summary = new PerCpuSummary();
                    return new CounterTrials.Reading(() -> summary.accept(1), () -> count(summary.summary()));
                }),
                new Operation("summary summaryThenReset", "PerCpuSummary.summaryThenReset()", _ -> {
                    PerCpuSummary summary = new PerCpuSummary();
                    return new CounterTrials.Taking(
                            () -> summary.accept(1),
                            () -> count(summary.summaryThenReset()),
                            () -> count(summary.summary()));
                }),
                new Operation("summary reset", "PerCpuSummary.reset()", _ -> {
                    PerCpuSummary summary = new PerCpuSummary();
                    return reset(() -> summary.accept(1), summary::reset, () -> count(summary.summary()));
                }),
                new Operation("histogram interval next", "HistogramInterval.next()", _ -> {
                    PerCpuHistogram histogram =
                            PerCpuHistogram.builder().bounds(10, 100).build();
                    HistogramInterval interval = histogram.interval();
                    return new CounterTrials.Taking(
                            () -> histogram.record(5),
                            () -> interval.next().count(),
                            () -> interval.peek().count());
                }),
                new Operation("histogram interval peek", "HistogramInterval.peek()", _ -> {
                    PerCpuHistogram histogram =
                            PerCpuHistogram.builder().bounds(10, 100).build();
                    HistogramInterval interval = histogram.interval();
                    return new CounterTrials.Reading(
                            () -> histogram.record(5), () -> interval.peek().count());
                }),
                new Operation("counter reset", "PerCpuCounter.reset()", _ -> {
                    PerCpuCounter counter = new PerCpuCounter();
                    return reset(counter::increment, counter::reset, counter::sum);
                }),
                new Operation("counter array reset", "PerCpuCounterArray.reset()", _ -> {
                    PerCpuCounterArray counters = new PerCpuCounterArray(2);
                    return reset(() -> counters.increment(1), counters::reset, () -> counters.sum(1));
                }),
                new Operation("counter array reset of one", "PerCpuCounterArray.reset(int)", _ -> {
                    PerCpuCounterArray counters = new PerCpuCounterArray(2);
                    return reset(() -> counters.increment(1), () -> counters.reset(1), () -> counters.sum(1));
                }),
                new Operation("double counter reset", "PerCpuDoubleCounter.reset()", _ -> {
                    PerCpuDoubleCounter counter = new PerCpuDoubleCounter();
                    return reset(() -> counter.add(1), counter::reset, () -> (long) counter.sum());
                }),
                new Operation("accumulator reset", "PerCpuAccumulator.reset()", _ -> {
                    PerCpuAccumulator sum = new PerCpuAccumulator(Long::sum, 0);
                    return reset(() -> sum.accumulate(1), sum::reset, sum::get);
                }),
                new Operation("double accumulator reset", "PerCpuDoubleAccumulator.reset()", _ -> {
                    PerCpuDoubleAccumulator sum = new PerCpuDoubleAccumulator(Double::sum, 0);
                    return reset(() -> sum.accumulate(1), sum::reset, () -> (long) sum.get());
                }));
    }

    /** All that was there is taken away, or nothing is. */
    private static Trial reset(OtherThread.Action addition, Runnable reset, LongSupplier total) {
        return new CounterTrials.Taking(
                addition,
                () -> {
                    long there = total.getAsLong();
                    reset.run();
                    return there;
                },
                total);
    }

    /** How many values were recorded, each of which was 1. */
    private static long count(PerCpuSummary.Result result) {
        Trial.same("sum", result.count(), result.sum());
        if (result.count() > 0) {
            Trial.same("least value", 1, result.min());
            Trial.same("greatest value", 1, result.max());
        }
        return result.count();
    }
}
