package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.HotThread;
import dev.percpu.testing.Disturbance;
import dev.percpu.testing.Effort;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.WithoutCpuId;
import dev.percpu.testing.Workers;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * No object has two holders and none is lost while threads are preempted, moved between CPUs and signalled. The objects
 * have plain fields, so what a holder wrote must reach the next by the pool.
 */
@Tag("native")
@VmTest({"atomic", "machine"})
class PerCpuPoolExactnessTest {
    private static final int THREADS = 8;

    /** How many objects a thread holds at most. */
    private static final int EACH = 3;

    private static final int OBJECTS = THREADS * EACH;

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

    private PoolBuilder<Item> pool(int capacity) {
        return PerCpuPool.builder(capacity, () -> {
            Item item = new Item();
            made.add(item);
            return item;
        });
    }

    @Test
    void eightThreadsUnderChurnAndSignals() throws InterruptedException {
        Disturbance.Report disturbed =
                holdUpToThreeEach(pool(OBJECTS), Effort.scaled(300_000), UnaryOperator.identity());
        assertThat(disturbed.migrations()).isGreaterThan(Effort.scaled(100));
    }

    /**
     * Some keep an object, up to a quarter of all. Others have to find it again and again, since there are just
     * enough objects.
     */
    @Test
    void eightHotThreadsOfWhichSomeKeepAnObject() throws InterruptedException {
        AtomicInteger hot = new AtomicInteger();
        holdUpToThreeEach(pool(OBJECTS).keepOnePerHotThread(), Effort.scaled(100_000), task -> thread -> {
            if (HotThread.tryGetPlace() != HotThread.NO_PLACE) {
                hot.incrementAndGet();
            }
            task.accept(thread);
        });
        assertThat(hot).hasPositiveValue();
    }

    /**
     * Those without one find each object in the shared store, or on the stacks of CPUs, and have no stack of their own.
     */
    @Test
    @Tag("rseq")
    void eightThreadsOfWhichHalfHaveNoCpuId() throws InterruptedException {
        holdUpToThreeEach(pool(OBJECTS), Effort.scaled(50_000), WithoutCpuId::everySecond);
    }

    /** Each thread holds up to three objects, and there are just enough, so that none can be missing. */
    private Disturbance.Report holdUpToThreeEach(
            PoolBuilder<Item> builder, int rounds, UnaryOperator<IntConsumer> workers) throws InterruptedException {
        PerCpuPool<Item> pool = builder.build();
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
                while (held.size() > (round + thread) % EACH) {
                    release(held.poll(), me);
                }
            }
            held.forEach(pooled -> release(pooled, me));
        });
        Disturbance.Report disturbed =
                Disturbance.during("pool-worker", 3, () -> Workers.run("pool-worker-", THREADS, task));
        assertThat(disturbed.signals()).isGreaterThan(Effort.scaled(1000));
        verify(pool, (long) THREADS * rounds);
        return disturbed;
    }

    @Test
    void tenThousandVirtualThreadsThatYieldWhileTheyHoldObjects() throws InterruptedException {
        int threads = Effort.tenThousandThreads();
        int rounds = Math.max(10, Effort.scaled(40));
        PerCpuPool<Item> pool = pool(300).build();
        Disturbance.Report disturbed = Disturbance.ofCarriers(
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
