package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.percpu.Holder;
import dev.percpu.OnCpu;
import dev.percpu.cpu.CpuId;
import dev.percpu.internal.linux.BoundThread;
import dev.percpu.testing.Effort;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Many threads, and threads on different CPUs. They take seconds; where a wake-up is lost, the time limit ends
 * the wait.
 */
@VmTest({"affinity", "cpuset", "sparse"})
class PerCpuPoolConcurrencyTest extends PoolStacksFixture {
    /** What is pooled; it knows how often it was destroyed. */
    private static final class Item {
        private final AtomicInteger destructions = new AtomicInteger();
    }

    @Test
    void nothingIsStrandedOnAnIdleCpu() {
        int capacity = 500;
        PerCpuPool<Item> pool = PerCpuPool.builder(capacity, Item::new).build();
        List<Pooled<Item>> first = new ArrayList<>();
        OnCpu.run(firstCpu, () -> {
            for (int i = 0; i < capacity; i++) {
                first.add(pool.tryAcquire());
            }
            first.forEach(Pooled::release);
        });
        List<Pooled<Item>> second = new ArrayList<>();
        OnCpu.run(lastCpu, () -> {
            for (int i = 0; i < capacity; i++) {
                second.add(pool.tryAcquire());
            }
            assertThat(pool.tryAcquire()).isNull();
        });
        assertThat(second).doesNotContainNull().containsExactlyInAnyOrderElementsOf(first);
        assertThat(pool.statistics().made()).isEqualTo(capacity);
    }

    /** The atomic back end's stacks need no guard, so there the id may be found on the way. */
    @Test
    @Tag("rseq")
    void anotherCpusStackIsTouchedOnlyWithItsGuard() throws InterruptedException {
        PerCpuPool<Object> pool = poolWithItsObjectOnTheFirstCpu();
        Holder owner = Holder.of(CpuId.of(firstCpu));
        Thread seeker = Thread.ofPlatform().start(pool::tryAcquire);
        awaitBlocked(seeker);
        assertThat(seeker.isAlive()).as("waits for the guard").isTrue();
        owner.release();
        Workers.join(seeker);
        assertThat(pool.statistics().held()).isEqualTo(1);
    }

    @Test
    void objectsThatAreReleasedOnAnotherCpuComeBack() {
        int rounds = Effort.scaled(100_000);
        int underway = 16;
        int capacity = 64;
        PerCpuPool<Item> pool = PerCpuPool.builder(capacity, Item::new).build();
        BlockingQueue<Pooled<Item>> queue = new ArrayBlockingQueue<>(underway);
        BoundThread consumer = BoundThread.start(lastCpu, () -> {
            for (int i = 0; i < rounds; i++) {
                uninterrupted(queue::take).release();
            }
        });
        OnCpu.run(firstCpu, () -> {
            for (int i = 0; i < rounds; i++) {
                // At most 18 are held at a time.
                Pooled<Item> pooled = pool.tryAcquire();
                assertThat(pooled).isNotNull();
                uninterrupted(() -> {
                    queue.put(pooled);
                    return pooled;
                });
            }
        });
        Workers.join(consumer);
        assertThat(consumer.await()).isNull();
        assertThat(pool.statistics().held()).isZero();
        assertThat(pool.statistics().made()).isLessThanOrEqualTo(capacity);
    }

    /** As many objects as threads: then each thread always finds one, wherever the others left theirs. */
    @Test
    void isNeverExhaustedWhileAnObjectIsIdle() throws InterruptedException {
        int threads = 6;
        for (int attempt = 0; attempt < Effort.scaled(20); attempt++) {
            PerCpuPool<Item> pool = PerCpuPool.builder(threads, Item::new).build();
            Workers.run("pool-brink-", threads, thread -> {
                for (int i = 0; i < 5_000; i++) {
                    Pooled<Item> pooled = pool.tryAcquire();
                    assertThat(pooled).isNotNull();
                    if (i % 8 == thread) {
                        Thread.onSpinWait();
                    }
                    pooled.release();
                }
            });
        }
    }

    /** Twice as many threads as objects, until some had to wait: a wake-up that is lost leaves one waiting for ever. */
    @Test
    void noWakeUpIsLost() throws InterruptedException {
        int rounds = Effort.scaled(5_000);
        for (int capacity = 1; capacity <= 4; capacity++) {
            PerCpuPool<Item> pool = PerCpuPool.builder(capacity, Item::new).build();
            AtomicInteger exhausted = new AtomicInteger();
            Workers.run("pool-wait-", 2 * capacity, thread -> {
                for (int i = 0; i < rounds || exhausted.get() == 0; i++) {
                    Pooled<Item> pooled = pool.tryAcquire();
                    if (pooled == null) {
                        exhausted.incrementAndGet();
                        pooled = uninterrupted(pool::acquire);
                    }
                    if (i % 4 == thread % 4) {
                        letOthersCome();
                    }
                    pooled.release();
                }
            });
            assertThat(pool.statistics().waiting()).isZero();
            assertThat(pool.statistics().held()).isZero();
        }
    }

    @SuppressWarnings("ThreadPriorityCheck") // so that they find the objects held
    private static void letOthersCome() {
        Thread.yield();
    }

    @Test
    void closingDestroysEachObjectOnceBesideThreadsThatUseThem() throws InterruptedException {
        int attempts = Effort.scaled(300);
        for (int attempt = 0; attempt < attempts; attempt++) {
            Queue<Item> made = new ConcurrentLinkedQueue<>();
            PerCpuPool<Item> pool = PerCpuPool.builder(16, () -> {
                        Item item = new Item();
                        made.add(item);
                        return item;
                    })
                    .destroy(item -> item.destructions.incrementAndGet())
                    .build();
            ClosedFlag closed = new ClosedFlag();
            int closesAfter = attempt % 30 * 20 + 1;
            Workers.run("pool-close-", 4, thread -> {
                for (int i = 0; ; i++) {
                    if (thread == 0 && i == closesAfter) {
                        pool.close();
                        closed.set = true;
                    }
                    boolean wasClosed = closed.set;
                    Throwable refused = catchThrowable(() -> {
                        Pooled<Item> pooled = pool.tryAcquire();
                        assertThat(pooled.get().destructions).hasValue(0);
                        pooled.release();
                    });
                    if (refused != null) {
                        assertThat(refused)
                                .isInstanceOf(IllegalStateException.class)
                                .hasMessageContaining("closed");
                        return;
                    }
                    assertThat(wasClosed).as("closed when it was acquired").isFalse();
                }
            });
            assertThat(made)
                    .isNotEmpty()
                    .allSatisfy(item -> assertThat(item.destructions).hasValue(1));
            assertThat(pool.statistics().destroyed()).isEqualTo(made.size());
        }
    }

    /** Whether close has returned. */
    private static final class ClosedFlag {
        private volatile boolean set;
    }

    /** What can be interrupted, and is not. */
    @FunctionalInterface
    interface Interruptible<T> {
        T call() throws InterruptedException;
    }

    static <T> T uninterrupted(Interruptible<T> call) {
        try {
            return call.call();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
