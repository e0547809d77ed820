package dev.percpu.stress.failure;

import dev.percpu.concurrent.HistogramInterval;
import dev.percpu.concurrent.HistogramSnapshot;
import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuBoundedCounter;
import dev.percpu.concurrent.PerCpuBuckets;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuDoubleAccumulator;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import dev.percpu.concurrent.PerCpuHistogram;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What adds up: counters, accumulators, histograms. */
final class CounterTrials {
    private CounterTrials() {}

    static List<Operation> all() {
        List<Operation> all = new ArrayList<>();
        counters(all);
        accumulators(all);
        histograms(all);
        all.replaceAll(operation -> operation.also(Variant.HOT));
        readings(all);
        bounded(all);
        return all;
    }

    private static void counters(List<Operation> all) {
        all.add(Operation.on(
                        "counter add",
                        "PerCpuCounter.add(long)",
                        PerCpuCounter::new,
                        counter -> new Adding(() -> counter.add(1), counter::sum))
                .also(Variant.VIRTUAL));
        all.add(Operation.on(
                "counter increment",
                "PerCpuCounter.increment()",
                PerCpuCounter::new,
                counter -> new Adding(counter::increment, counter::sum)));
        all.add(Operation.on(
                "counter decrement",
                "PerCpuCounter.decrement()",
                PerCpuCounter::new,
                counter -> new Adding(counter::decrement, () -> -counter.sum())));
        all.add(Operation.on(
                "counter sumThenReset",
                "PerCpuCounter.sumThenReset()",
                PerCpuCounter::new,
                counter -> new Taking(() -> counter.add(1), counter::sumThenReset, counter::sum)));
        all.add(Operation.on(
                "counter reset",
                "PerCpuCounter.reset()",
                PerCpuCounter::new,
                counter -> Taking.byReset(counter::increment, counter::reset, counter::sum)));
        all.add(Operation.on(
                "counter array add",
                "PerCpuCounterArray.add(int, long)",
                CounterTrials::twoCounters,
                counters -> new Adding(() -> counters.add(1, 1), () -> counters.sum(1))));
        all.add(Operation.on(
                "counter array add to two",
                "PerCpuCounterArray.add(int, long, int, long)",
                CounterTrials::twoCounters,
                counters -> new Adding(() -> counters.add(1, 1, 0, 0), () -> counters.sum(1))));
        all.add(Operation.on(
                "counter array increment",
                "PerCpuCounterArray.increment(int)",
                CounterTrials::twoCounters,
                counters -> new Adding(() -> counters.increment(1), () -> counters.sum(1))));
        all.add(Operation.on(
                "counter array decrement",
                "PerCpuCounterArray.decrement(int)",
                CounterTrials::twoCounters,
                counters -> new Adding(() -> counters.decrement(1), () -> -counters.sum(1))));
        all.add(Operation.on(
                "counter array sumThenReset",
                "PerCpuCounterArray.sumThenReset(int)",
                CounterTrials::twoCounters,
                counters ->
                        new Taking(() -> counters.add(1, 1), () -> counters.sumThenReset(1), () -> counters.sum(1))));
        all.add(Operation.on(
                "counter array reset of one",
                "PerCpuCounterArray.reset(int)",
                CounterTrials::twoCounters,
                counters ->
                        Taking.byReset(() -> counters.increment(1), () -> counters.reset(1), () -> counters.sum(1))));
        // Both counters are reset, or neither is.
        all.add(Operation.on(
                "counter array sumsThenReset",
                "PerCpuCounterArray.sumsThenReset()",
                CounterTrials::twoCounters,
                counters -> new Taking(
                        () -> {
                            counters.add(0, 3);
                            counters.add(1, -2);
                        },
                        () -> total(counters.sumsThenReset()),
                        () -> total(counters.sums()))));
        all.add(Operation.on(
                "counter array reset",
                "PerCpuCounterArray.reset()",
                CounterTrials::twoCounters,
                counters -> Taking.byReset(() -> counters.increment(1), counters::reset, () -> counters.sum(1))));
        all.add(Operation.on(
                "buckets record",
                "PerCpuBuckets.record(int, double)",
                () -> new PerCpuBuckets(2),
                buckets -> new Adding(() -> buckets.record(1, 3), () -> countedAndAdded(buckets))));
        all.add(Operation.on(
                "double counter add",
                "PerCpuDoubleCounter.add(double)",
                PerCpuDoubleCounter::new,
                counter -> new Adding(() -> counter.add(1), () -> (long) counter.sum())));
        all.add(Operation.on(
                "double counter sumThenReset",
                "PerCpuDoubleCounter.sumThenReset()",
                PerCpuDoubleCounter::new,
                counter -> new Taking(
                        () -> counter.add(1), () -> (long) counter.sumThenReset(), () -> (long) counter.sum())));
        all.add(Operation.on(
                "double counter reset",
                "PerCpuDoubleCounter.reset()",
                PerCpuDoubleCounter::new,
                counter -> Taking.byReset(() -> counter.add(1), counter::reset, () -> (long) counter.sum())));
    }

    /** Without an allocation, which could fail after the reset. */
    private static long total(long[] numbers) {
        long total = 0;
        for (long number : numbers) {
            total += number;
        }
        return total;
    }

    /** What was counted, if it was also added to the sum. */
    private static long countedAndAdded(PerCpuBuckets buckets) {
        long counted = buckets.counts()[1];
        long sum = (long) buckets.sum();
        Trial.same("sum of the values counted", 3 * counted, sum);
        return counted;
    }

    private static void accumulators(List<Operation> all) {
        all.add(Operation.on(
                "accumulator accumulate",
                "PerCpuAccumulator.accumulate(long)",
                CounterTrials::longSum,
                sum -> new Adding(() -> sum.accumulate(1), sum::get)));
        all.add(Operation.on(
                "accumulator getThenReset",
                "PerCpuAccumulator.getThenReset()",
                CounterTrials::longSum,
                sum -> new Taking(() -> sum.accumulate(1), sum::getThenReset, sum::get)));
        all.add(Operation.on(
                "accumulator reset",
                "PerCpuAccumulator.reset()",
                CounterTrials::longSum,
                sum -> Taking.byReset(() -> sum.accumulate(1), sum::reset, sum::get)));
        all.add(Operation.on(
                "double accumulator accumulate",
                "PerCpuDoubleAccumulator.accumulate(double)",
                CounterTrials::doubleSum,
                sum -> new Adding(() -> sum.accumulate(1), () -> (long) sum.get())));
        all.add(Operation.on(
                "double accumulator getThenReset",
                "PerCpuDoubleAccumulator.getThenReset()",
                CounterTrials::doubleSum,
                sum -> new Taking(() -> sum.accumulate(1), () -> (long) sum.getThenReset(), () -> (long) sum.get())));
        all.add(Operation.on(
                "double accumulator reset",
                "PerCpuDoubleAccumulator.reset()",
                CounterTrials::doubleSum,
                sum -> Taking.byReset(() -> sum.accumulate(1), sum::reset, () -> (long) sum.get())));
    }

    private static void bounded(List<Operation> all) {
        all.add(Operation.on(
                "bounded counter add",
                "PerCpuBoundedCounter.add(long)",
                CounterTrials::boundedCounter,
                counter -> new Adding(() -> counter.add(1), counter::sum)));
        all.add(Operation.on(
                "bounded counter sub",
                "PerCpuBoundedCounter.sub(long)",
                CounterTrials::boundedCounter,
                counter -> new Adding(() -> counter.sub(1), () -> -counter.sum())));
        all.add(Operation.on(
                "bounded counter increment",
                "PerCpuBoundedCounter.increment()",
                CounterTrials::boundedCounter,
                counter -> new Adding(counter::increment, counter::sum)));
        all.add(Operation.on(
                "bounded counter decrement",
                "PerCpuBoundedCounter.decrement()",
                CounterTrials::boundedCounter,
                counter -> new Adding(counter::decrement, () -> -counter.sum())));
        all.add(Operation.on(
                "bounded counter sum",
                "PerCpuBoundedCounter.sum()",
                CounterTrials::boundedCounter,
                counter -> new Reading(() -> counter.add(1), counter::sum)));
        all.add(Operation.on(
                "bounded counter estimate",
                "PerCpuBoundedCounter.estimate()",
                CounterTrials::boundedCounter,
                counter -> new Reading(() -> counter.add(1), () -> {
                    long sum = counter.sum();
                    Trial.check(Math.abs(counter.estimate() - sum) <= counter.errorBound(), "an estimate too far off");
                    return sum;
                })));
        all.add(Operation.on(
                "bounded counter tryAdd below the limit",
                "PerCpuBoundedCounter.tryAdd(long, long)",
                CounterTrials::boundedCounter,
                counter -> new Adding(() -> Trial.check(counter.tryAdd(1, 1 << 30), "refused"), counter::sum)));
        all.add(new Operation(
                "bounded counter tryAdd near the limit",
                "PerCpuBoundedCounter.tryAdd(long, long)",
                _ -> new Limited(true, 1)));
        all.add(new Operation(
                "bounded counter tryAdd at the limit",
                "PerCpuBoundedCounter.tryAdd(long, long)",
                _ -> new Limited(false, 1)));
        all.add(new Operation(
                "bounded counter trySub near the limit",
                "PerCpuBoundedCounter.trySub(long, long)",
                _ -> new Limited(true, -1)));
        all.add(new Operation(
                "bounded counter trySub at the limit",
                "PerCpuBoundedCounter.trySub(long, long)",
                _ -> new Limited(false, -1)));
        all.add(Operation.on(
                "bounded counter compareValueTo",
                "PerCpuBoundedCounter.compareValueTo(long)",
                CounterTrials::boundedCounter,
                counter -> new Reading(() -> counter.add(1), () -> {
                    long sum = counter.sum();
                    Trial.same("compared with its value", 0, counter.compareValueTo(sum));
                    return sum;
                })));
    }

    private static void histograms(List<Operation> all) {
        all.add(Operation.on(
                "histogram record",
                "PerCpuHistogram.record(long)",
                CounterTrials::histogram,
                histogram -> new Recording(histogram, () -> histogram.record(5), 1)));
        all.add(Operation.on(
                "histogram record often",
                "PerCpuHistogram.record(long, long)",
                CounterTrials::histogram,
                histogram -> new Recording(histogram, () -> histogram.record(5, 3), 3)));
        all.add(Operation.on(
                "histogram snapshotThenReset",
                "PerCpuHistogram.snapshotThenReset()",
                CounterTrials::histogram,
                histogram -> new Taking(
                        () -> histogram.record(5),
                        () -> histogram.snapshotThenReset().count(),
                        () -> histogram.snapshot().count())));
        all.add(Operation.on(
                "histogram reset",
                "PerCpuHistogram.reset()",
                CounterTrials::histogramOfBounds,
                histogram -> Taking.byReset(
                        () -> histogram.record(5),
                        histogram::reset,
                        () -> histogram.snapshot().count())));
        all.add(Operation.on(
                "histogram interval next", "HistogramInterval.next()", CounterTrials::histogramOfBounds, histogram -> {
                    HistogramInterval interval = histogram.interval();
                    return new Taking(
                            () -> histogram.record(5),
                            () -> interval.next().count(),
                            () -> interval.peek().count());
                }));
    }

    private static void readings(List<Operation> all) {
        all.add(Operation.on(
                "counter sum",
                "PerCpuCounter.sum()",
                PerCpuCounter::new,
                counter -> new Reading(() -> counter.add(1), counter::sum)));
        all.add(Operation.on(
                "counter array sum",
                "PerCpuCounterArray.sum(int)",
                CounterTrials::twoCounters,
                counters -> new Reading(() -> counters.increment(1), () -> counters.sum(1))));
        all.add(Operation.on(
                "counter array sums",
                "PerCpuCounterArray.sums()",
                CounterTrials::twoCounters,
                counters -> new Reading(() -> counters.increment(1), () -> total(counters.sums()))));
        all.add(new Operation("buckets counts", List.of("PerCpuBuckets.counts()", "PerCpuBuckets.sum()"), _ -> {
            PerCpuBuckets buckets = new PerCpuBuckets(2);
            return new Reading(() -> buckets.record(1, 3), () -> countedAndAdded(buckets));
        }));
        all.add(Operation.on(
                "double counter sum",
                "PerCpuDoubleCounter.sum()",
                PerCpuDoubleCounter::new,
                counter -> new Reading(() -> counter.add(1), () -> (long) counter.sum())));
        all.add(Operation.on(
                "accumulator get",
                "PerCpuAccumulator.get()",
                CounterTrials::longSum,
                sum -> new Reading(() -> sum.accumulate(1), sum::get)));
        all.add(Operation.on(
                "double accumulator get",
                "PerCpuDoubleAccumulator.get()",
                CounterTrials::doubleSum,
                sum -> new Reading(() -> sum.accumulate(1), () -> (long) sum.get())));
        all.add(Operation.on(
                "histogram snapshot",
                "PerCpuHistogram.snapshot()",
                CounterTrials::histogram,
                histogram -> new Reading(
                        () -> histogram.record(5), () -> histogram.snapshot().count())));
        all.add(Operation.on(
                "histogram interval",
                "PerCpuHistogram.interval()",
                CounterTrials::histogram,
                histogram -> new Reading(() -> histogram.record(5), () -> {
                    long count = histogram.snapshot().count();
                    Trial.same(
                            "values in a new interval",
                            0,
                            histogram.interval().peek().count());
                    return count;
                })));
        all.add(Operation.on(
                "histogram interval peek", "HistogramInterval.peek()", CounterTrials::histogramOfBounds, histogram -> {
                    HistogramInterval interval = histogram.interval();
                    return new Reading(
                            () -> histogram.record(5), () -> interval.peek().count());
                }));
    }

    private static PerCpuCounterArray twoCounters() {
        return new PerCpuCounterArray(2);
    }

    private static PerCpuBoundedCounter boundedCounter() {
        return new PerCpuBoundedCounter(2);
    }

    private static PerCpuAccumulator longSum() {
        return new PerCpuAccumulator(Long::sum, 0);
    }

    private static PerCpuDoubleAccumulator doubleSum() {
        return new PerCpuDoubleAccumulator(Double::sum, 0);
    }

    private static PerCpuHistogram histogramOfBounds() {
        return PerCpuHistogram.builder().bounds(10, 100).build();
    }

    private static PerCpuHistogram histogram() {
        return PerCpuHistogram.builder()
                .relativeError(0.1)
                .highestTrackable(1000)
                .build();
    }

    /** A recorded value: its count and the sum are two additions, of which each is whole. */
    private static final class Recording extends Trial {
        private static final int VALUE = 5;

        private final PerCpuHistogram histogram;
        private final OtherThread.Action recording;
        private final long times;

        Recording(PerCpuHistogram histogram, OtherThread.Action recording, long times) {
            this.histogram = histogram;
            this.recording = recording;
            this.times = times;
        }

        @Override
        void act() throws Exception {
            recording.run();
        }

        @Override
        boolean verify(@Nullable Throwable thrown) {
            HistogramSnapshot recorded = histogram.snapshotThenReset();
            boolean counted = beforeOrAfter("count", 0, times, recorded.count(), thrown);
            // Both are in one call, so there is no step in between that could fail.
            same("sum", VALUE * recorded.count(), recorded.sum());
            return counted;
        }
    }

    /**
     * An addition that all credits have to be collected for, as it comes to the limit, or as it would go above it; or
     * the same of a subtraction.
     */
    private static final class Limited extends Trial {
        private static final long LIMIT = 100;

        private final boolean fits;
        private final int sign;
        private PerCpuBoundedCounter counter = new PerCpuBoundedCounter();
        private long before;
        private boolean done;

        Limited(boolean fits, int sign) {
            this.fits = fits;
            this.sign = sign;
        }

        @Override
        void prepare() {
            counter = new PerCpuBoundedCounter();
            before = sign * (fits ? LIMIT - 1 : LIMIT);
            counter.add(before);
            done = false;
        }

        @Override
        void act() {
            done = sign > 0 ? counter.tryAdd(1, LIMIT) : counter.trySub(1, -LIMIT);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) {
            long after = fits ? before + sign : before;
            boolean did = beforeOrAfter("value", before, after, counter.sum(), thrown);
            check(thrown != null || done == fits, done ? "done beyond the limit" : "refused within the limit");
            // And it still counts.
            counter.add(-after);
            same("value afterwards", did ? 0 : before - after, counter.sum());
            return did;
        }
    }
}
