package dev.percpu.stress.subject;

import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.Pooled;
import dev.percpu.cpu.CpuMask;
import dev.percpu.stress.time.RunningTime;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;

/**
 * One thread releases an object just as another finds that the pool has none, and nobody else comes who could make good
 * a wake-up that is lost.
 *
 * <p>The pool is as small as one can be that still puts objects on the CPUs' stacks: it does so while as many are idle
 * as {@link #SPREAD}. So the giver has all, and releases that many; the taker takes them, and wants one more at the
 * moment when the giver releases one more.
 */
final class Handover implements Subject {
    private static final int SPREAD = 2 * CpuMask.usable().weight();
    private static final int CAPACITY = SPREAD + 2;
    private static final int ROUNDS = 20;
    private static final int LONGEST_SPIN = 64;

    /** A thread that could not hand over goes on, but not at once: it would take the CPUs from the two. */
    private static final long LONGEST_WAIT_MILLIS = 20;

    private static final long PATIENCE_SECONDS = 10;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);

    /** Held by the giver. */
    private final ReentrantLock giving = new ReentrantLock();

    private final PerCpuPool<Object> pool = ToldPools.build(PerCpuPool.builder(CAPACITY, Object::new));

    /** What the two have come to, in steps: five in each round. */
    private volatile int step;

    @Override
    public int use(RandomGenerator random) throws InterruptedException {
        if (!giving.tryLock(LONGEST_WAIT_MILLIS, TimeUnit.MILLISECONDS)) {
            return 0;
        }
        try {
            step = 0;
            RandomGenerator takers = new SplittableRandom(random.nextLong());
            Helper taker = Helper.start(
                    random.nextBoolean()
                            ? Thread.ofVirtual()
                            : Thread.ofPlatform().name("stress-taker"),
                    () -> take(takers));
            try {
                give(random);
            } catch (AssertionError e) {
                // If the taker has failed, that is why the giver waits in vain.
                taker.check();
                throw e;
            } finally {
                // It may wait for an object that does not come.
                taker.interrupt();
                taker.join();
            }
            taker.check();
        } finally {
            giving.unlock();
        }
        return ROUNDS * 4 * CAPACITY;
    }

    private void give(RandomGenerator random) {
        Deque<Pooled<Object>> held = new ArrayDeque<>(CAPACITY);
        for (int round = 0; round < ROUNDS; round++) {
            acquire(held, CAPACITY);
            release(held, SPREAD);
            step = 5 * round + 1;
            await(5 * round + 2);
            spin(random);
            release(held, 1);
            await(5 * round + 3);
            release(held, 1);
            step = 5 * round + 4;
            await(5 * round + 5);
        }
    }

    @SuppressWarnings("MustBeClosedChecker") // closed when they are released
    private void take(RandomGenerator random) throws InterruptedException {
        Deque<Pooled<Object>> held = new ArrayDeque<>(CAPACITY);
        for (int round = 0; round < ROUNDS; round++) {
            await(5 * round + 1);
            acquire(held, SPREAD);
            step = 5 * round + 2;
            // Now the one comes first and now the other.
            spin(random);
            // Without a time limit: when its time is up, a thread looks once more, and so would find the object.
            held.add(pool.acquire());
            step = 5 * round + 3;
            await(5 * round + 4);
            release(held, SPREAD + 1);
            step = 5 * round + 5;
        }
    }

    /** So many are idle, or can be made, and nobody else acquires any: there is nothing to wait for. */
    @SuppressWarnings("MustBeClosedChecker") // closed when they are released
    private void acquire(Deque<Pooled<Object>> held, int count) {
        for (int i = 0; i < count; i++) {
            Pooled<Object> pooled = pool.tryAcquire();
            if (pooled == null) {
                throw new AssertionError("exhausted, though " + (count - i) + " should be left: " + pool.statistics());
            }
            held.add(pooled);
        }
    }

    private static void release(Deque<Pooled<Object>> held, int count) {
        for (int i = 0; i < count; i++) {
            held.remove().release();
        }
    }

    private static void spin(RandomGenerator random) {
        for (int spin = random.nextInt(LONGEST_SPIN); spin > 0; spin--) {
            Thread.onSpinWait();
        }
    }

    @SuppressWarnings("ThreadPriorityCheck") // the other one may wait for this CPU
    private void await(int wanted) {
        RunningTime waited = new RunningTime();
        for (int spins = 0; step < wanted; spins++) {
            if (spins % 64 == 63) {
                Thread.yield();
                if (waited.nanos() > PATIENCE_NANOS) {
                    throw new AssertionError("step " + wanted % 5 + " does not come, " + PATIENCE_SECONDS
                            + " s after step " + step % 5 + ": somebody waits for an object, of which the pool has "
                            + pool.statistics());
                }
            } else {
                Thread.onSpinWait();
            }
        }
    }

    @Override
    public void verify() {
        Subject.expect("objects held", 0, pool.statistics().held());
        pool.close();
    }
}
