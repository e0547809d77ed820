package dev.percpu.stress.subject;

import dev.percpu.concurrent.PerCpuBuckets;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;
import java.util.stream.LongStream;

/**
 * Counters that are reset all the time: each update is in the result of exactly one reset. If it were in two, both
 * would subtract it, and the sum of all results would be right all the same. But then a result is negative, of a
 * counter that only grows.
 */
final class Counters implements Subject {
    /** Some cache lines of them. */
    private static final int COUNTERS = 30;

    private final PerCpuCounter longs = new PerCpuCounter();
    private final PerCpuCounter growing = new PerCpuCounter();
    private final LongAdder grown = new LongAdder();
    private final LongAdder growthTaken = new LongAdder();
    private final LongAdder longsAdded = new LongAdder();
    private final LongAdder longsTaken = new LongAdder();
    private final PerCpuCounterArray array = new PerCpuCounterArray(COUNTERS);
    private final AtomicLongArray arrayAdded = new AtomicLongArray(COUNTERS);
    private final AtomicLongArray arrayTaken = new AtomicLongArray(COUNTERS);
    private final PerCpuDoubleCounter halves = new PerCpuDoubleCounter();
    private final LongAdder halvesAdded = new LongAdder();
    private final LongAdder halvesTaken = new LongAdder();

    private final PerCpuBuckets buckets = new PerCpuBuckets(COUNTERS);
    private final LongAdder recorded = new LongAdder();

    @Override
    public int use(RandomGenerator random) {
        int burst = random.nextInt(1, LONGEST_BURST);
        return switch (random.nextInt(18)) {
            case 0 -> reset(burst / 4);
            case 1 -> resetHalves(burst / 4);
            case 2, 3, 4 -> add(random.nextInt(-100, 100), burst);
            case 5 -> resetArray(random.nextInt(COUNTERS));
            case 6, 7 -> addToArray(random.nextInt(COUNTERS), random.nextInt(100), burst);
            case 8 -> takeGrowth(burst / 4);
            case 9, 10 -> grow(burst);
            case 11 -> lookAtGrowth(burst);
            case 12, 13 -> record(burst);
            default -> addHalves(burst);
        };
    }

    /** Several in a row, so that resets meet each other. */
    private int reset(int burst) {
        for (int i = 0; i < burst; i++) {
            longsTaken.add(longs.sumThenReset());
        }
        return burst;
    }

    /** All at once, and one by itself. */
    private int resetArray(int index) {
        long[] sums = array.sumsThenReset();
        for (int i = 0; i < COUNTERS; i++) {
            takeFromArray(i, sums[i]);
        }
        takeFromArray(index, array.sumThenReset(index));
        return 2;
    }

    private void takeFromArray(int index, long sum) {
        Subject.expect(sum >= 0, "a counter of an array that only grows: " + sum);
        arrayTaken.addAndGet(index, sum);
    }

    private int grow(int burst) {
        for (int i = 0; i < burst; i++) {
            growing.increment();
        }
        grown.add(burst);
        return burst;
    }

    private int takeGrowth(int burst) {
        for (int i = 0; i < burst; i++) {
            long sum = growing.sumThenReset();
            Subject.expect(sum >= 0, "a counter that only grows: " + sum);
            growthTaken.add(sum);
        }
        return burst;
    }

    /** A sum that sees a reset has all that the reset has taken. */
    private int lookAtGrowth(int burst) {
        for (int i = 0; i < burst; i++) {
            long sum = growing.sum();
            Subject.expect(sum >= 0, "a sum of a counter that only grows: " + sum);
        }
        return burst;
    }

    private int addToArray(int first, int delta, int burst) {
        for (int i = 0; i < burst; i++) {
            int index = (first + i) % COUNTERS;
            if (i % 2 == 0) {
                array.add(index, delta);
            } else {
                int second = (index + 1) % COUNTERS;
                array.add(index, delta, second, 1);
                arrayAdded.incrementAndGet(second);
            }
            arrayAdded.addAndGet(index, delta);
        }
        return burst;
    }

    private int record(int burst) {
        for (int i = 0; i < burst; i++) {
            buckets.record(i % COUNTERS, 0.5);
        }
        recorded.add(burst);
        return burst;
    }

    private int resetHalves(int burst) {
        for (int i = 0; i < burst; i++) {
            halvesTaken.add((long) (2 * halves.sumThenReset()));
        }
        return burst;
    }

    private int add(long delta, int burst) {
        for (int i = 0; i < burst; i++) {
            longs.add(delta);
            longs.increment();
            longs.increment();
            longs.decrement();
        }
        longsAdded.add(burst * (delta + 1));
        return 4 * burst;
    }

    private int addHalves(int burst) {
        for (int i = 0; i < burst; i++) {
            halves.add(0.5);
        }
        halvesAdded.add(burst);
        return burst;
    }

    @Override
    public void verify() {
        Subject.expect("counter", longsAdded.sum(), longsTaken.sum() + longs.sumThenReset());
        Subject.expect("counter after its reset", 0, longs.sum());
        Subject.expect("growing counter", grown.sum(), growthTaken.sum() + growing.sumThenReset());
        long[] sums = array.sumsThenReset();
        for (int i = 0; i < COUNTERS; i++) {
            Subject.expect("counter " + i + " of an array", arrayAdded.get(i), arrayTaken.get(i) + sums[i]);
        }
        Subject.expect(
                "values in buckets",
                recorded.sum(),
                LongStream.of(buckets.counts()).sum());
        Subject.expect("twice their sum", recorded.sum(), (long) (2 * buckets.sum()));
        Subject.expect("halves", halvesAdded.sum(), halvesTaken.sum() + (long) (2 * halves.sumThenReset()));
    }
}
