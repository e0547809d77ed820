package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.Disturbance;
import dev.percpu.testing.Effort;
import dev.percpu.testing.WithoutCpuId;
import dev.percpu.testing.Workers;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.IntConsumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * No object has two holders and none is lost while threads are preempted, moved between CPUs and signalled. The objects
 * have plain fields, so what a holder wrote must reach the next by the pool.
 */
@Tag("native")
class PerCpuPoolExactnessTest {
    private final Queue<Item> made = new ConcurrentLinkedQueue<>();

    /** What is pooled. */
    private static final class Item {
        private long holder;
        private long uses;

        private void hold(long thread) {
            assertThat(holder).as("the holder before").isZero();
            holder = thread;
        }

        private void use(long thread) {
            assertThat(holder).as("the holder").isEqualTo(thread);
            uses++;
            holder = 0;
        }
    }

    private PerCpuPool<Item> pool(int capacity) {
        return PerCpuPool.builder(capacity, () -> {
                    Item item = new Item();
                    made.add(item);
                    return item;
                })
                .build();
    }

    @Test
    void eightThreadsUnderChurnAndSignals() throws InterruptedException {
        Disturbance.Report disturbed = holdUpToThreeEach(Effort.scaled(300_000), UnaryOperator.identity());
        assertThat(disturbed.migrations()).isGreaterThan(Effort.scaled(100));
    }

    /**
     * Those without one find each object in the shared store, or on the stacks of CPUs, and have no stack of their own.
     */
    @Test
    @Tag("rseq")
    void eightThreadsOfWhichHalfHaveNoCpuId() throws InterruptedException {
        holdUpToThreeEach(Effort.scaled(50_000), WithoutCpuId::everySecond);
    }

    /** Each thread holds up to three objects, and there are just enough, so that none can be missing. */
    private Disturbance.Report holdUpToThreeEach(int rounds, UnaryOperator<IntConsumer> workers)
            throws InterruptedException {
        int threads = 8;
        int each = 3;
        PerCpuPool<Item> pool = pool(threads * each);
        IntConsumer task = workers.apply(thread -> {
            Deque<Pooled<Item>> held = new ArrayDeque<>();
            long me = Thread.currentThread().threadId();
            for (int round = 0; round < rounds; round++) {
                Pooled<Item> pooled = pool.tryAcquire();
                if (pooled == null) {
                    throw new AssertionError("exhausted: " + pool.statistics());
                }
                pooled.get().hold(me);
                held.add(pooled);
                while (held.size() > (round + thread) % each) {
                    release(held.poll(), me);
                }
            }
            held.forEach(pooled -> release(pooled, me));
        });
        Disturbance.Report disturbed =
                Disturbance.during("pool-worker", 3, () -> Workers.run("pool-worker-", threads, task));
        assertThat(disturbed.signals()).isGreaterThan(Effort.scaled(1000));
        verify(pool, (long) threads * rounds);
        return disturbed;
    }

    @Test
    void tenThousandVirtualThreadsThatYieldWhileTheyHoldObjects() throws InterruptedException {
        int threads = 10_000;
        int rounds = 40;
        PerCpuPool<Item> pool = pool(300);
        Disturbance.Report disturbed = Disturbance.during(
                "ForkJoinPool-1",
                4,
                () -> Workers.runVirtual(threads, thread -> {
                    long me = Thread.currentThread().threadId();
                    for (int round = 0; round < rounds; round++) {
                        Pooled<Item> pooled = PerCpuPoolConcurrencyTest.uninterrupted(pool::acquire);
                        pooled.get().hold(me);
                        if (round % 4 == 0) {
                            yieldToOthers();
                        }
                        release(pooled, me);
                    }
                }));
        assertThat(disturbed.signals()).isGreaterThan(Effort.scaled(1000));
        verify(pool, (long) threads * rounds);
    }

    @SuppressWarnings("ThreadPriorityCheck") // so that virtual threads take turns
    private static void yieldToOthers() {
        Thread.yield();
    }

    private static void release(Pooled<Item> pooled, long me) {
        pooled.get().use(me);
        pooled.release();
    }

    private void verify(PerCpuPool<Item> pool, long uses) {
        assertThat(pool.statistics().held()).isZero();
        assertThat(pool.statistics().idle()).isEqualTo(made.size());
        assertThat(made.stream().mapToLong(item -> item.uses).sum()).isEqualTo(uses);
    }
}
