package dev.percpu.stress.subject;

import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.internal.area.OwnPlaces;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;

/**
 * Threads that become hot, so that each gets a place of its own, use other subjects for a moment, and end. So places
 * change hands all the time, while other threads update, read, reset, lock and unlock. Between two epochs nothing of a
 * place is cleared: whoever gets it goes on from what its last owner left there.
 */
public final class HotThreads implements Subject {
    /** A thread that is not hot by then gets no place, since the machine is too slow or another owner has its slot. */
    private static final int MOST_INCREMENTS = 20_000;

    private static final int LONGEST_LIFE = 50;

    private static final LongAdder OWNERS = new LongAdder();

    /** All that use places of their own. */
    private final List<Subject> used;

    private final PerCpuCounter counter = new PerCpuCounter();
    private final LongAdder incremented = new LongAdder();

    HotThreads(RandomGenerator random) {
        used = List.of(
                new Counters(),
                new Histogram(random),
                new Accumulators(),
                new ResetEvents(random),
                new Ref(),
                new ReadWriteLock());
    }

    /** How many threads have had a place of their own and have ended so far. */
    public static long owners() {
        return OWNERS.sum();
    }

    @Override
    public int use(RandomGenerator random) throws InterruptedException {
        Subject subject = used.get(random.nextInt(used.size()));
        return random.nextInt(8) == 0 ? liveAndUse(subject, random) : subject.use(random);
    }

    private int liveAndUse(Subject subject, RandomGenerator random) throws InterruptedException {
        RandomGenerator choices = new SplittableRandom(random.nextLong());
        LongAdder operations = new LongAdder();
        Helper hot = Helper.start(Thread.ofPlatform().name("stress-hot"), () -> {
            operations.add(becomeHot());
            for (int uses = choices.nextInt(LONGEST_LIFE); uses > 0; uses--) {
                operations.add(subject.use(choices));
            }
        });
        hot.join();
        hot.check();
        return operations.intValue();
    }

    private int becomeHot() {
        int increments = 0;
        while (increments < MOST_INCREMENTS && !OwnPlaces.hasMine()) {
            counter.increment();
            increments++;
        }
        incremented.add(increments);
        if (OwnPlaces.hasMine()) {
            OWNERS.increment();
        }
        return increments;
    }

    @Override
    public void verify() throws InterruptedException {
        Subject.expect("counter", incremented.sum(), counter.sum());
        for (Subject subject : used) {
            subject.verify();
        }
    }
}
