package dev.percpu.stress.failure;

import dev.percpu.concurrent.HistogramSnapshot;
import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuBoundedCounter;
import dev.percpu.concurrent.PerCpuBuckets;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuDoubleAccumulator;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.memory.NumericWidth;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** What adds up: counters, accumulators, histograms. */
final class CounterTrials {
    private CounterTrials() {}

    static List<Operation> all() {
        List<Operation> all = new ArrayList<>();
        counters(all);
        accumulators(all);
        bounded(all);
        histograms(all);
        return all;
    }

    private static void counters(List<Operation> all) {
        all.add(new Operation("counter add", "PerCpuCounter.add(long)", _ -> {
            PerCpuCounter counter = new PerCpuCounter();
            return new Adding(() -> counter.add(1), counter::sum);
        }));
        all.add(new Operation("counter increment", "PerCpuCounter.increment()", _ -> {
            PerCpuCounter counter = new PerCpuCounter();
            return new Adding(counter::increment, counter::sum);
        }));
        all.add(new Operation("counter decrement", "PerCpuCounter.decrement()", _ -> {
            PerCpuCounter counter = new PerCpuCounter();
            return new Adding(counter::decrement, () -> -counter.sum());
        }));
        all.add(new Operation("counter sum", "PerCpuCounter.sum()", _ -> {
            PerCpuCounter counter = new PerCpuCounter();
            return new Reading(() -> counter.add(1), counter::sum);
        }));
        all.add(new Operation("counter sumThenReset", "PerCpuCounter.sumThenReset()", _ -> {
            PerCpuCounter counter = new PerCpuCounter();
            return new Taking(() -> counter.add(1), counter::sumThenReset, counter::sum);
        }));
        all.add(new Operation("counter array add", "PerCpuCounterArray.add(int, long)", _ -> {
            PerCpuCounterArray counters = new PerCpuCounterArray(2);
            return new Adding(() -> counters.add(1, 1), () -> counters.sum(1));
        }));
        all.add(new Operation("counter array add to two", "PerCpuCounterArray.add(int, long, int, long)", _ -> {
            PerCpuCounterArray counters = new PerCpuCounterArray(2);
            return new Adding(() -> counters.add(1, 1, 0, 0), () -> counters.sum(1));
        }));
        all.add(new Operation("counter array increment", "PerCpuCounterArray.increment(int)", _ -> {
            PerCpuCounterArray counters = new PerCpuCounterArray(2);
            return new Adding(() -> counters.increment(1), () -> counters.sum(1));
        }));
        all.add(new Operation("counter array decrement", "PerCpuCounterArray.decrement(int)", _ -> {
            PerCpuCounterArray counters = new PerCpuCounterArray(2);
            return new Adding(() -> counters.decrement(1), () -> -counters.sum(1));
        }));
        all.add(new Operation("counter array sum", "PerCpuCounterArray.sum(int)", _ -> {
            PerCpuCounterArray counters = new PerCpuCounterArray(2);
            return new Reading(() -> counters.increment(1), () -> counters.sum(1));
        }));
        all.add(new Operation("counter array sums", "PerCpuCounterArray.sums()", _ -> {
            PerCpuCounterArray counters = new PerCpuCounterArray(2);
            return new Reading(() -> counters.increment(1), () -> total(counters.sums()));
        }));
        all.add(new Operation("counter array sumThenReset", "PerCpuCounterArray.sumThenReset(int)", _ -> {
            PerCpuCounterArray counters = new PerCpuCounterArray(2);
            return new Taking(() -> counters.add(1, 1), () -> counters.sumThenReset(1), () -> counters.sum(1));
        }));
        // Both counters are reset, or neither is.
        all.add(new Operation("counter array sumsThenReset", "PerCpuCounterArray.sumsThenReset()", _ -> {
            PerCpuCounterArray counters = new PerCpuCounterArray(2);
            return new Taking(
                    () -> {
                        counters.add(0, 3);
                        counters.add(1, -2);
                    },
                    () -> total(counters.sumsThenReset()),
                    () -> total(counters.sums()));
        }));
        all.add(new Operation("buckets record", "PerCpuBuckets.record(int, double)", _ -> {
            PerCpuBuckets buckets = new PerCpuBuckets(2);
            return new Adding(() -> buckets.record(1, 3), () -> countedAndAdded(buckets));
        }));
        all.add(new Operation("buckets counts", List.of("PerCpuBuckets.counts()", "PerCpuBuckets.sum()"), _ -> {
            PerCpuBuckets buckets = new PerCpuBuckets(2);
            return new Reading(() -> buckets.record(1, 3), () -> countedAndAdded(buckets));
        }));
        all.add(new Operation("double counter add", "PerCpuDoubleCounter.add(double)", _ -> {
            PerCpuDoubleCounter counter = new PerCpuDoubleCounter();
            return new Adding(() -> counter.add(1), () -> (long) counter.sum());
        }));
        all.add(new Operation("double counter sum", "PerCpuDoubleCounter.sum()", _ -> {
            PerCpuDoubleCounter counter = new PerCpuDoubleCounter();
            return new Reading(() -> counter.add(1), () -> (long) counter.sum());
        }));
        all.add(new Operation("double counter sumThenReset", "PerCpuDoubleCounter.sumThenReset()", _ -> {
            PerCpuDoubleCounter counter = new PerCpuDoubleCounter();
            return new Taking(() -> counter.add(1), () -> (long) counter.sumThenReset(), () -> (long) counter.sum());
        }));
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
        if (sum != 3 * counted) {
            throw new AssertionError(counted + " values counted, but their sum is " + sum);
        }
        return counted;
    }

    private static void accumulators(List<Operation> all) {
        all.add(new Operation("accumulator accumulate", "PerCpuAccumulator.accumulate(long)", _ -> {
            PerCpuAccumulator sum = new PerCpuAccumulator(Long::sum, 0);
            return new Adding(() -> sum.accumulate(1), sum::get);
        }));
        all.add(new Operation("accumulator get", "PerCpuAccumulator.get()", _ -> {
            PerCpuAccumulator sum = new PerCpuAccumulator(Long::sum, 0);
            return new Reading(() -> sum.accumulate(1), sum::get);
        }));
        all.add(new Operation("accumulator getThenReset", "PerCpuAccumulator.getThenReset()", _ -> {
            PerCpuAccumulator sum = new PerCpuAccumulator(Long::sum, 0);
            return new Taking(() -> sum.accumulate(1), sum::getThenReset, sum::get);
        }));
        all.add(new Operation("double accumulator accumulate", "PerCpuDoubleAccumulator.accumulate(double)", _ -> {
            PerCpuDoubleAccumulator sum = new PerCpuDoubleAccumulator(Double::sum, 0);
            return new Adding(() -> sum.accumulate(1), () -> (long) sum.get());
        }));
        all.add(new Operation("double accumulator get", "PerCpuDoubleAccumulator.get()", _ -> {
            PerCpuDoubleAccumulator sum = new PerCpuDoubleAccumulator(Double::sum, 0);
            return new Reading(() -> sum.accumulate(1), () -> (long) sum.get());
        }));
        all.add(new Operation("double accumulator getThenReset", "PerCpuDoubleAccumulator.getThenReset()", _ -> {
            PerCpuDoubleAccumulator sum = new PerCpuDoubleAccumulator(Double::sum, 0);
            return new Taking(() -> sum.accumulate(1), () -> (long) sum.getThenReset(), () -> (long) sum.get());
        }));
    }

    private static void bounded(List<Operation> all) {
        all.add(new Operation("bounded counter add", "PerCpuBoundedCounter.add(long)", _ -> {
            PerCpuBoundedCounter counter = new PerCpuBoundedCounter(2);
            return new Adding(() -> counter.add(1), counter::sum);
        }));
        all.add(new Operation("bounded counter sub", "PerCpuBoundedCounter.sub(long)", _ -> {
            PerCpuBoundedCounter counter = new PerCpuBoundedCounter(2);
            return new Adding(() -> counter.sub(1), () -> -counter.sum());
        }));
        all.add(new Operation("bounded counter increment", "PerCpuBoundedCounter.increment()", _ -> {
            PerCpuBoundedCounter counter = new PerCpuBoundedCounter(2);
            return new Adding(counter::increment, counter::sum);
        }));
        all.add(new Operation("bounded counter decrement", "PerCpuBoundedCounter.decrement()", _ -> {
            PerCpuBoundedCounter counter = new PerCpuBoundedCounter(2);
            return new Adding(counter::decrement, () -> -counter.sum());
        }));
        all.add(new Operation("bounded counter sum", "PerCpuBoundedCounter.sum()", _ -> {
            PerCpuBoundedCounter counter = new PerCpuBoundedCounter(2);
            return new Reading(() -> counter.add(1), counter::sum);
        }));
        all.add(new Operation("bounded counter estimate", "PerCpuBoundedCounter.estimate()", _ -> {
            PerCpuBoundedCounter counter = new PerCpuBoundedCounter(2);
            return new Reading(() -> counter.add(1), () -> {
                long sum = counter.sum();
                Trial.check(Math.abs(counter.estimate() - sum) <= counter.errorBound(), "an estimate too far off");
                return sum;
            });
        }));
        all.add(new Operation(
                "bounded counter tryAdd below the limit", "PerCpuBoundedCounter.tryAdd(long, long)", _ -> {
                    PerCpuBoundedCounter counter = new PerCpuBoundedCounter(2);
                    return new Adding(() -> Trial.check(counter.tryAdd(1, 1 << 30), "refused"), counter::sum);
                }));
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
        all.add(new Operation("bounded counter compareValueTo", "PerCpuBoundedCounter.compareValueTo(long)", _ -> {
            PerCpuBoundedCounter counter = new PerCpuBoundedCounter(2);
            return new Reading(() -> counter.add(1), () -> {
                long sum = counter.sum();
                Trial.same("compared with its value", 0, counter.compareValueTo(sum));
                return sum;
            });
        }));
    }

    private static void histograms(List<Operation> all) {
        all.add(new Operation("histogram record", "PerCpuHistogram.record(long)", _ -> {
            PerCpuHistogram histogram = histogram();
            return new Recording(histogram, () -> histogram.record(5), 1);
        }));
        all.add(new Operation("histogram record often", "PerCpuHistogram.record(long, long)", _ -> {
            PerCpuHistogram histogram = histogram();
            return new Recording(histogram, () -> histogram.record(5, 3), 3);
        }));
        all.add(new Operation("histogram snapshot", "PerCpuHistogram.snapshot()", _ -> {
            PerCpuHistogram histogram = histogram();
            return new Reading(
                    () -> histogram.record(5), () -> histogram.snapshot().count());
        }));
        all.add(new Operation("histogram interval", "PerCpuHistogram.interval()", _ -> {
            PerCpuHistogram histogram = histogram();
            return new Reading(() -> histogram.record(5), () -> {
                long count = histogram.snapshot().count();
                Trial.same(
                        "values in a new interval",
                        0,
                        histogram.interval().peek().count());
                return count;
            });
        }));
        all.add(new Operation("histogram snapshotThenReset", "PerCpuHistogram.snapshotThenReset()", _ -> {
            PerCpuHistogram histogram = histogram();
            return new Taking(
                    () -> histogram.record(5),
                    () -> histogram.snapshotThenReset().count(),
                    () -> histogram.snapshot().count());
        }));
    }

    static PerCpuHistogram histogram() {
        return PerCpuHistogram.builder()
                .relativeError(0.1)
                .highestTrackable(1000)
                .build();
    }

    /** The addition of 1. */
    static class Adding extends Trial {
        private final OtherThread.Action addition;
        private final LongSupplier total;
        private final NumericWidth width;
        private long before;

        Adding(OtherThread.Action addition, LongSupplier total) {
            this(addition, total, NumericWidth.LONG);
        }

        Adding(OtherThread.Action addition, LongSupplier total, NumericWidth width) {
            this.addition = addition;
            this.total = total;
            this.width = width;
        }

        @Override
        void prepare() {
            same("total", before, total.getAsLong());
        }

        @Override
        void act() throws Exception {
            addition.run();
        }

        @Override
        boolean verify(@Nullable Throwable thrown) {
            long was = before;
            before = total.getAsLong();
            return beforeOrAfter("total", was, width.wrap(was + 1), before, thrown);
        }
    }

    /** A total that is read; it must be right. */
    static final class Reading extends Trial {
        private final OtherThread.Action addition;
        private final LongSupplier total;
        private long expected;
        private long seen;

        Reading(OtherThread.Action addition, LongSupplier total) {
            this.addition = addition;
            this.total = total;
        }

        @Override
        void prepare() throws Exception {
            addition.run();
            expected++;
        }

        @Override
        void act() {
            seen = total.getAsLong();
        }

        @Override
        boolean verify(@Nullable Throwable thrown) {
            if (thrown == null) {
                same("total", expected, seen);
            }
            same("total afterwards", expected, total.getAsLong());
            return thrown == null;
        }
    }

    /** A total that is taken away: it must be in the result, or still be there. */
    static final class Taking extends Trial {
        private final OtherThread.Action addition;
        private final LongSupplier taking;
        private final LongSupplier total;
        private long there;
        private long taken;

        Taking(OtherThread.Action addition, LongSupplier taking, LongSupplier total) {
            this.addition = addition;
            this.taking = taking;
            this.total = total;
        }

        @Override
        void prepare() throws Exception {
            addition.run();
            there++;
            taken = 0;
        }

        @Override
        void act() {
            taken = taking.getAsLong();
        }

        @Override
        boolean verify(@Nullable Throwable thrown) {
            long left = total.getAsLong();
            long expected = there - taken;
            there = left;
            same(thrown == null ? "total" : "total after a failed reset", expected, left);
            if (thrown == null) {
                same("taken", 0, left);
            }
            return thrown == null;
        }
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
