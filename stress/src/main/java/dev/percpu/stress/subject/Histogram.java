package dev.percpu.stress.subject;

import dev.percpu.concurrent.HistogramReader;
import dev.percpu.concurrent.HistogramSnapshot;
import dev.percpu.concurrent.PerCpuHistogram;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;

/**
 * A histogram, with bounds or without, that is reset all the time, and read by a reader of its own: each value is in
 * exactly one snapshot of either, and no snapshot contradicts itself.
 */
final class Histogram implements Subject {
    private final PerCpuHistogram histogram;
    private final HistogramReader reader;
    private final LongAdder recorded = new LongAdder();
    private final LongAdder sum = new LongAdder();
    private final Taken byReset = new Taken();
    private final Taken byReader = new Taken();

    /** What several snapshots had. */
    private static final class Taken {
        private final LongAdder count = new LongAdder();
        private final LongAdder sum = new LongAdder();

        private void add(HistogramSnapshot snapshot) {
            check(snapshot);
            count.add(snapshot.count());
            sum.add(snapshot.sum());
        }
    }

    Histogram(RandomGenerator random) {
        histogram = random.nextBoolean()
                ? PerCpuHistogram.builder().highestTrackable(1_000_000).build()
                : PerCpuHistogram.builder()
                        .bounds(0, 10, 1_000, 1_001, 50_000, 1_000_000)
                        .build();
        reader = histogram.reader();
    }

    @Override
    public int use(RandomGenerator random) {
        return switch (random.nextInt(96)) {
            case 0 -> {
                byReset.add(histogram.snapshotThenReset());
                yield 1;
            }
            case 1 -> {
                check(histogram.snapshot());
                yield 1;
            }
            case 2 -> {
                byReader.add(reader.next());
                yield 1;
            }
            default -> record(random);
        };
    }

    private int record(RandomGenerator random) {
        int burst = random.nextInt(1, LONGEST_BURST);
        long first = random.nextLong(-10, 1_100_000);
        long times = random.nextInt(1, 5);
        long total = 0;
        for (int i = 0; i < burst; i++) {
            long value = first + 1000L * i;
            if (times == 1) {
                histogram.record(value);
            } else {
                histogram.record(value, times);
            }
            total += value * times;
        }
        recorded.add(burst * times);
        sum.add(total);
        return burst;
    }

    private static void check(HistogramSnapshot snapshot) {
        long buckets = 0;
        for (HistogramSnapshot.Bucket bucket : snapshot.buckets()) {
            // A value that was in an earlier snapshot and is not in this one would leave less than nothing.
            Subject.expect(bucket.count() >= 0, "a bucket of a snapshot has " + bucket.count());
            buckets += bucket.count();
        }
        Subject.expect("count beside the buckets", buckets, snapshot.count());
    }

    @Override
    public void verify() {
        byReset.add(histogram.snapshotThenReset());
        byReader.add(reader.next());
        Subject.expect("recorded values", recorded.sum(), byReset.count.sum());
        Subject.expect("sum of the values", sum.sum(), byReset.sum.sum());
        Subject.expect("recorded values of a reader", recorded.sum(), byReader.count.sum());
        Subject.expect("sum of the values of a reader", sum.sum(), byReader.sum.sum());
    }
}
