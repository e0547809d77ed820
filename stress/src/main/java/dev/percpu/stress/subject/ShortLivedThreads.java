package dev.percpu.stress.subject;

import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import dev.percpu.concurrent.PerCpuHistogram;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;

/**
 * Threads that live just long enough to get places of their own, so that the places change hands all the time, while
 * others read and reset.
 */
final class ShortLivedThreads implements Subject {
    /** A thread is hot after a thousand updates in vain, and counts some more in its place. */
    private static final int FEWEST = 2_000;

    private static final int MOST = 6_000;

    private final PerCpuCounter counter = new PerCpuCounter();
    private final PerCpuDoubleCounter doubles = new PerCpuDoubleCounter();
    private final PerCpuHistogram histogram =
            PerCpuHistogram.builder().highestTrackable(100).build();
    private final LongAdder updates = new LongAdder();
    private final LongAdder taken = new LongAdder();
    private final LongAdder takenDoubles = new LongAdder();

    @Override
    public int use(RandomGenerator random) throws InterruptedException {
        if (random.nextInt(3) == 0) {
            taken.add(counter.sumThenReset());
            takenDoubles.add((long) doubles.sumThenReset());
            return 2;
        }
        int count = random.nextInt(FEWEST, MOST);
        Thread thread = Thread.ofPlatform().name("stress-short").start(() -> update(count));
        thread.join();
        return 3 * count;
    }

    private void update(int count) {
        int done = 0;
        try {
            for (; done < count; done++) {
                counter.increment();
                doubles.add(1);
                histogram.record(done % 100);
            }
        } finally {
            updates.add(done);
        }
    }

    @Override
    public void verify() {
        long all = updates.sum();
        Subject.expect("counter", all, taken.sum() + counter.sumThenReset());
        Subject.expect("doubles", all, takenDoubles.sum() + (long) doubles.sumThenReset());
        Subject.expect("histogram", all, histogram.snapshot().count());
    }
}
