package dev.percpu.stress.subject;

import dev.percpu.concurrent.HistogramSnapshot;
import dev.percpu.concurrent.PerCpuHistogram;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;

/**
 * A histogram that is reset all the time: each value is in exactly one snapshot, and no snapshot contradicts itself.
 */
final class Histogram implements Subject {
    private final PerCpuHistogram histogram =
            PerCpuHistogram.builder().highestTrackable(1_000_000).build();
    private final LongAdder recorded = new LongAdder();
    private final LongAdder sum = new LongAdder();
    private final LongAdder countTaken = new LongAdder();
    private final LongAdder sumTaken = new LongAdder();

    @Override
    public int use(RandomGenerator random) {
        int choice = random.nextInt(64);
        if (choice == 0) {
            take(histogram.snapshotThenReset());
            return 1;
        }
        if (choice == 1) {
            check(histogram.snapshot());
            return 1;
        }
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

    private void take(HistogramSnapshot snapshot) {
        check(snapshot);
        countTaken.add(snapshot.count());
        sumTaken.add(snapshot.sum());
    }

    private static void check(HistogramSnapshot snapshot) {
        long buckets = snapshot.buckets().stream()
                .mapToLong(HistogramSnapshot.Bucket::count)
                .sum();
        Subject.expect("count beside the buckets", buckets, snapshot.count());
    }

    @Override
    public void verify() {
        take(histogram.snapshotThenReset());
        Subject.expect("recorded values", recorded.sum(), countTaken.sum());
        Subject.expect("sum of the values", sum.sum(), sumTaken.sum());
        histogram.close();
    }
}
