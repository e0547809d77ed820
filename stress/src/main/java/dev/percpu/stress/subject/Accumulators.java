package dev.percpu.stress.subject;

import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuDoubleAccumulator;
import dev.percpu.concurrent.PerCpuSummary;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;

/** Accumulators that are reset all the time: sums, of which nothing may be lost, and maxima. */
final class Accumulators implements Subject {
    private final PerCpuAccumulator sums = new PerCpuAccumulator(Long::sum, 0);
    private final LongAdder added = new LongAdder();
    private final LongAdder taken = new LongAdder();
    private final LongAdder recorded = new LongAdder();
    private final PerCpuDoubleAccumulator halves = new PerCpuDoubleAccumulator(Double::sum, 0);
    private final LongAdder halvesAdded = new LongAdder();
    private final LongAdder halvesTaken = new LongAdder();
    private final PerCpuSummary summary = new PerCpuSummary();
    private final LongAdder countTaken = new LongAdder();
    private final LongAdder sumTaken = new LongAdder();
    private final Extremes recordedExtremes = new Extremes();
    private final Extremes takenExtremes = new Extremes();
    private final PerCpuAccumulator greatest = new PerCpuAccumulator(Long::max, Long.MIN_VALUE);
    private final AtomicLong next = new AtomicLong();
    private final LongAccumulator greatestTaken = new LongAccumulator(Long::max, Long.MIN_VALUE);

    /** The least and the greatest of some values. */
    private static final class Extremes {
        private final LongAccumulator least = new LongAccumulator(Long::min, Long.MAX_VALUE);
        private final LongAccumulator greatest = new LongAccumulator(Long::max, Long.MIN_VALUE);

        private void add(long low, long high) {
            least.accumulate(low);
            greatest.accumulate(high);
        }
    }

    @Override
    public int use(RandomGenerator random) {
        int burst = random.nextInt(1, LONGEST_BURST);
        return switch (random.nextInt(10)) {
            case 0 -> reset();
            case 1, 2, 3 -> sum(random.nextInt(-100, 100), burst);
            case 4, 5, 6 -> sumHalves(burst);
            default -> maximum(burst);
        };
    }

    private int reset() {
        taken.add(sums.getThenReset());
        halvesTaken.add((long) (2 * halves.getThenReset()));
        greatestTaken.accumulate(greatest.getThenReset());
        take(summary.summaryThenReset());
        return 4;
    }

    private int sum(long delta, int burst) {
        for (int i = 0; i < burst; i++) {
            sums.accumulate(delta);
            summary.accept(delta);
        }
        recordedExtremes.add(delta, delta);
        added.add(burst * delta);
        recorded.add(burst);
        return 2 * burst;
    }

    private void take(PerCpuSummary.Result result) {
        countTaken.add(result.count());
        sumTaken.add(result.sum());
        takenExtremes.add(result.min(), result.max());
    }

    private int sumHalves(int burst) {
        for (int i = 0; i < burst; i++) {
            halves.accumulate(0.5);
        }
        halvesAdded.add(burst);
        return burst;
    }

    private int maximum(int burst) {
        for (int i = 0; i < burst; i++) {
            greatest.accumulate(next.incrementAndGet());
        }
        return burst;
    }

    @Override
    public void verify() {
        Subject.expect("sums", added.sum(), taken.sum() + sums.getThenReset());
        Subject.expect("halves", halvesAdded.sum(), halvesTaken.sum() + (long) (2 * halves.getThenReset()));
        take(summary.summaryThenReset());
        Subject.expect("count of a summary", recorded.sum(), countTaken.sum());
        Subject.expect("sum of a summary", added.sum(), sumTaken.sum());
        Subject.expect("least of a summary", recordedExtremes.least.get(), takenExtremes.least.get());
        Subject.expect("greatest of a summary", recordedExtremes.greatest.get(), takenExtremes.greatest.get());
        greatestTaken.accumulate(greatest.getThenReset());
        if (next.get() > 0) {
            Subject.expect("the greatest of all", next.get(), greatestTaken.get());
        }
    }
}
