package dev.percpu.stress.failure;

import dev.percpu.concurrent.HistogramReader;
import dev.percpu.concurrent.HistogramSnapshot;
import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuBoundedCounter;
import dev.percpu.concurrent.PerCpuBuckets;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuDoubleAccumulator;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.concurrent.PerCpuSummary;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What adds up: counters, accumulators, summaries, histograms. */
final class CounterTrials {
    private CounterTrials() {}

    static List<Operation> all() {
        return Stream.of(counters(), arrays(), doubles(), accumulators(), summaries(), histograms(), bounded())
                .flatMap(each -> each)
                .toList();
    }

    private static Stream<Operation> counters() {
        AddingUp<PerCpuCounter> counter = new AddingUp<>(
                "counter", PerCpuCounter.class, PerCpuCounter::new, PerCpuCounter::increment, PerCpuCounter::sum, true);
        return Stream.of(
                counter.adding("add(long)", made -> made.add(1)).also(Variant.VIRTUAL),
                counter.adding("increment()"),
                counter.subtracting("decrement()", PerCpuCounter::decrement),
                counter.taking("sumThenReset()", PerCpuCounter::sumThenReset),
                counter.resetting("reset()", PerCpuCounter::reset),
                counter.reading("sum()"));
    }

    private static Stream<Operation> arrays() {
        AddingUp<PerCpuCounterArray> array = new AddingUp<>(
                "counter array",
                PerCpuCounterArray.class,
                () -> new PerCpuCounterArray(2),
                counters -> counters.increment(1),
                counters -> counters.sum(1),
                true);
        AddingUp<PerCpuCounterArray> both = new AddingUp<>(
                array.name(),
                PerCpuCounterArray.class,
                array.maker(),
                counters -> {
                    counters.add(0, 3);
                    counters.add(1, -2);
                },
                counters -> total(counters.sums()),
                true);
        AddingUp<PerCpuBuckets> buckets = new AddingUp<>(
                "buckets",
                PerCpuBuckets.class,
                () -> new PerCpuBuckets(2),
                made -> made.record(1, 3),
                CounterTrials::countedAndAdded,
                true);
        return Stream.of(
                array.adding("add(int, long)", counters -> counters.add(1, 1)),
                array.adding("add(int, long, int, long)", counters -> counters.add(1, 1, 0, 0))
                        .named("counter array add to two"),
                array.adding("increment(int)"),
                array.subtracting("decrement(int)", counters -> counters.decrement(1)),
                array.taking("sumThenReset(int)", counters -> counters.sumThenReset(1)),
                array.resetting("reset(int)", counters -> counters.reset(1)).named("counter array reset of one"),
                // Both counters are reset, or neither is.
                both.taking("sumsThenReset()", counters -> total(counters.sumsThenReset())),
                array.resetting("reset()", PerCpuCounterArray::reset),
                array.reading("sum(int)"),
                array.reading("sums()", counters -> total(counters.sums())),
                buckets.adding("record(int, double)"),
                buckets.reading("counts()"),
                buckets.reading("sum()"));
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

    private static Stream<Operation> doubles() {
        AddingUp<PerCpuDoubleCounter> counter = new AddingUp<>(
                "double counter",
                PerCpuDoubleCounter.class,
                PerCpuDoubleCounter::new,
                made -> made.add(1),
                made -> (long) made.sum(),
                true);
        return Stream.of(
                counter.adding("add(double)"),
                counter.taking("sumThenReset()", made -> (long) made.sumThenReset()),
                counter.resetting("reset()", PerCpuDoubleCounter::reset),
                counter.reading("sum()"));
    }

    private static Stream<Operation> accumulators() {
        AddingUp<PerCpuAccumulator> longs = new AddingUp<>(
                "accumulator",
                PerCpuAccumulator.class,
                () -> new PerCpuAccumulator(Long::sum, 0),
                sum -> sum.accumulate(1),
                PerCpuAccumulator::get,
                true);
        AddingUp<PerCpuDoubleAccumulator> doubles = new AddingUp<>(
                "double accumulator",
                PerCpuDoubleAccumulator.class,
                () -> new PerCpuDoubleAccumulator(Double::sum, 0),
                sum -> sum.accumulate(1),
                sum -> (long) sum.get(),
                true);
        return Stream.of(
                longs.adding("accumulate(long)"),
                longs.taking("getThenReset()", PerCpuAccumulator::getThenReset),
                longs.resetting("reset()", PerCpuAccumulator::reset),
                longs.reading("get()"),
                doubles.adding("accumulate(double)"),
                doubles.taking("getThenReset()", sum -> (long) sum.getThenReset()),
                doubles.resetting("reset()", PerCpuDoubleAccumulator::reset),
                doubles.reading("get()"));
    }

    private static Stream<Operation> summaries() {
        AddingUp<PerCpuSummary> summary = new AddingUp<>(
                "summary",
                PerCpuSummary.class,
                PerCpuSummary::new,
                made -> made.accept(1),
                made -> count(made.summary()),
                true);
        return Stream.of(
                summary.adding("accept(long)"),
                summary.reading("summary()"),
                summary.taking("summaryThenReset()", made -> count(made.summaryThenReset())),
                summary.resetting("reset()", PerCpuSummary::reset));
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

    private static Stream<Operation> histograms() {
        AddingUp<PerCpuHistogram> histogram = new AddingUp<>(
                "histogram",
                PerCpuHistogram.class,
                () -> PerCpuHistogram.builder()
                        .relativeError(0.1)
                        .highestTrackable(1000)
                        .build(),
                made -> made.record(5),
                made -> made.snapshot().count(),
                true);
        AddingUp<PerCpuHistogram> ofBounds = new AddingUp<>(
                histogram.name(),
                PerCpuHistogram.class,
                () -> PerCpuHistogram.builder().bounds(10, 100).build(),
                histogram.addition(),
                histogram.total(),
                true);
        AddingUp<Read> read = new AddingUp<>(
                "histogram reader",
                HistogramReader.class,
                () -> new Read(ofBounds.maker().get()),
                Read::record,
                made -> made.reader.peek().count(),
                true);
        return Stream.of(
                histogram.changing("record(long)", made -> new Recording(made, () -> made.record(5), 1)),
                histogram
                        .changing("record(long, long)", made -> new Recording(made, () -> made.record(5, 3), 3))
                        .named("histogram record often"),
                histogram.taking(
                        "snapshotThenReset()", made -> made.snapshotThenReset().count()),
                ofBounds.resetting("reset()", PerCpuHistogram::reset),
                histogram.reading("snapshot()"),
                histogram.reading("reader()", made -> {
                    long count = made.snapshot().count();
                    Trial.same("values of a new reader", 0, made.reader().peek().count());
                    return count;
                }),
                read.taking("next()", made -> made.reader.next().count()),
                read.reading("peek()", made -> made.reader.peek().count()));
    }

    private static Stream<Operation> bounded() {
        // Its credits are in the places of CPUs only.
        AddingUp<PerCpuBoundedCounter> bounded = new AddingUp<>(
                "bounded counter",
                PerCpuBoundedCounter.class,
                () -> new PerCpuBoundedCounter(2),
                PerCpuBoundedCounter::increment,
                PerCpuBoundedCounter::sum,
                false);
        return Stream.of(
                bounded.adding("add(long)", counter -> counter.add(1)),
                bounded.subtracting("sub(long)", counter -> counter.sub(1)),
                bounded.adding("increment()"),
                bounded.subtracting("decrement()", PerCpuBoundedCounter::decrement),
                bounded.reading("sum()"),
                bounded.reading("estimate()", counter -> {
                    long sum = counter.sum();
                    Trial.check(Math.abs(counter.estimate() - sum) <= counter.errorBound(), "an estimate too far off");
                    return sum;
                }),
                bounded.adding("tryAdd(long, long)", counter -> Trial.check(counter.tryAdd(1, 1 << 30), "refused"))
                        .named("bounded counter tryAdd below the limit"),
                limited("tryAdd", "near", true, 1),
                limited("tryAdd", "at", false, 1),
                limited("trySub", "near", true, -1),
                limited("trySub", "at", false, -1),
                bounded.reading("compareValueTo(long)", counter -> {
                    long sum = counter.sum();
                    Trial.same("compared with its value", 0, counter.compareValueTo(sum));
                    return sum;
                }));
    }

    private static Operation limited(String method, String where, boolean fits, int sign) {
        return new Operation(
                "bounded counter " + method + " " + where + " the limit",
                "PerCpuBoundedCounter." + method + "(long, long)",
                () -> new Limited(fits, sign));
    }

    /** A histogram, and what was recorded since it was made. */
    private static final class Read {
        private final PerCpuHistogram histogram;
        private final HistogramReader reader;

        Read(PerCpuHistogram histogram) {
            this.histogram = histogram;
            this.reader = histogram.reader();
        }

        void record() {
            histogram.record(5);
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
