package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.percpu.CpuGuard;
import dev.percpu.Holder;
import dev.percpu.OnCpu;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.linux.BoundThread;
import dev.percpu.internal.linux.LinuxException;
import dev.percpu.testing.Machine.Call;
import dev.percpu.testing.Seccomp;
import dev.percpu.testing.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What lies on other CPUs' stacks: when it is looked for, and what can be in the way. */
class PerCpuPoolSearchTest extends PoolStacksFixture {
    @Test
    void oneObjectInUseIsFoundOnWhateverCpuItWasReleased() {
        PerCpuPool<Object> pool = pool(1024);
        for (int round = 0; round < 30; round++) {
            AtomicReference<Pooled<Object>> held = new AtomicReference<>();
            OnCpu.run(firstCpu, () -> held.set(pool.tryAcquire()));
            OnCpu.run(lastCpu, () -> held.get().release());
        }
        assertThat(pool.statistics().made()).isEqualTo(1);
    }

    /**
     * A stack with room for as many objects as a thread uses at once has them after a while, however many the thread
     * held before. Each number of objects that lie idle is tried, as the pool spreads them over the CPUs by halves.
     */
    @ParameterizedTest
    @ValueSource(ints = {4, 7, 8, 12, 16, 20, 24, 28, 32})
    void aSmallPoolBecomesFastAgainAfterAPeak(int capacity) {
        int room = Math.clamp(capacity / (2L * CpuMask.usable().weight()), 1, 64);
        OnCpu.run(firstCpu, () -> {
            for (int peak = 1; peak <= capacity; peak++) {
                for (int used = 1; used <= Math.min(room, peak); used++) {
                    PerCpuPool<Object> pool = pool(capacity);
                    useAtOnce(pool, peak);
                    for (int round = 0; round <= capacity; round++) {
                        useAtOnce(pool, used);
                    }
                    long before = pool.statistics().exchanges();
                    useAtOnce(pool, used);
                    useAtOnce(pool, used);
                    assertThat(pool.statistics().exchanges())
                            .as("%d at once, after %d", used, peak)
                            .isEqualTo(before);
                }
            }
        });
    }

    private static void useAtOnce(PerCpuPool<Object> pool, int objects) {
        List<Pooled<Object>> held = new ArrayList<>();
        for (int i = 0; i < objects; i++) {
            held.add(pool.tryAcquire());
        }
        held.forEach(Pooled::release);
    }

    /**
     * A search for each object would interrupt the other CPU each time. The pool moves at least 16 objects at a time,
     * or fewer at a limited rate.
     */
    @Test
    void aFlowOfObjectsFromOneCpuToAnotherIsNotSearchedForEach() {
        int rounds = 20_000;
        long atLeastMoved = 16;
        long savedUp = 64;
        long nanosPerMove = 100_000;
        PerCpuPool<Object> pool = pool(1024);
        long start = System.nanoTime();
        BlockingQueue<Pooled<Object>> queue = new ArrayBlockingQueue<>(8);
        BoundThread receiver = BoundThread.start(lastCpu, () -> {
            for (int i = 0; i < rounds; i++) {
                PerCpuPoolConcurrencyTest.uninterrupted(queue::take).release();
            }
        });
        OnCpu.run(firstCpu, () -> {
            for (int i = 0; i < rounds; i++) {
                Pooled<Object> pooled = pool.tryAcquire();
                PerCpuPoolConcurrencyTest.uninterrupted(() -> {
                    queue.put(pooled);
                    return pooled;
                });
            }
        });
        Workers.join(receiver);
        assertThat(receiver.await()).isNull();
        long nanos = System.nanoTime() - start;
        assertThat(pool.statistics().searches())
                .isLessThanOrEqualTo(rounds / atLeastMoved + savedUp + nanos / nanosPerMove);
    }

    /** Otherwise threads that look in vain would wake one another without a pause until the guard is free. */
    @Test
    void whoFindsTheGuardTakenWakesNobody() throws InterruptedException {
        PerCpuPool<Object> pool = PerCpuPoolWaitingTest.told(() -> pool(1));
        Pooled<Object> held = pool.acquire();
        Thread waiter = Thread.ofVirtual()
                .start(() ->
                        PerCpuPoolConcurrencyTest.uninterrupted(pool::acquire).release());
        while (pool.statistics().waiting() == 0) {
            Thread.sleep(1);
        }
        held.state = Pooled.IDLE;
        OnCpu.run(firstCpu, () -> assertThat(pool.ids.push(held.id)).isTrue());
        Holder owner = Holder.of(CpuId.of(firstCpu));
        pool.ids.lock();
        try {
            assertThat(pool.ids.moveAll(firstCpu)).isFalse();
            assertThat(pool.ids.waitingUnsignalled()).isOne();
        } finally {
            pool.ids.unlock();
            owner.release();
        }
        assertThat(pool.ids.lookAgain()).isEqualTo(PooledIds.NONE);
        Workers.join(waiter);
    }

    /** It searched once, and has too few idle objects to give each CPU some. */
    @Test
    void aPoolOfWhichFewAreIdleLeavesTheLockAloneAgain() {
        PerCpuPool<Object> pool = pool(64);
        List<Pooled<Object>> all = PerCpuPoolTest.acquireAll(pool);
        all.subList(0, 2).forEach(Pooled::release);
        OnCpu.run(firstCpu, () -> {
            for (int i = 0; i < 1000; i++) {
                pool.tryAcquire().release();
            }
            long before = pool.statistics().exchanges();
            for (int i = 0; i < 1000; i++) {
                pool.tryAcquire().release();
            }
            assertThat(pool.statistics().exchanges()).isEqualTo(before);
        });
    }

    @Test
    void aPoolAtTheBrinkIsNotSearchedAgainAndAgain() {
        PerCpuPool<Object> pool = pool(64);
        List<Pooled<Object>> all = PerCpuPoolTest.acquireAll(pool);
        long before = pool.statistics().searches();
        for (int i = 0; i < 1000; i++) {
            all.get(i % 64).release();
            all.set(i % 64, pool.tryAcquire());
            assertThat(pool.tryAcquire()).isNull();
        }
        assertThat(pool.statistics().searches()).isEqualTo(before);
    }

    @Test
    @Tag("rseq")
    void aTimeLimitHoldsWhileAnotherThreadHasTheGuard() throws InterruptedException {
        PerCpuPool<Object> pool = poolWithItsObjectOnTheFirstCpu();
        Holder owner = Holder.of(CpuId.of(firstCpu));
        assertThat(pool.tryAcquire(0, TimeUnit.NANOSECONDS)).isNull();
        assertThat(pool.tryAcquire(20, TimeUnit.MILLISECONDS)).isNull();
        assertThat(pool.tryAcquire(Long.MIN_VALUE, TimeUnit.DAYS)).isNull();
        owner.release();
        assertThat(pool.tryAcquire(1, TimeUnit.DAYS)).isNotNull();
    }

    @Test
    @Tag("rseq")
    void anInterruptEndsTheWaitForAGuard() throws InterruptedException {
        PerCpuPool<Object> pool = poolWithItsObjectOnTheFirstCpu();
        Holder owner = Holder.of(CpuId.of(firstCpu));
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread seeker = Thread.ofPlatform().start(() -> failure.set(catchThrowable(pool::acquire)));
        awaitBlocked(seeker);
        seeker.interrupt();
        Workers.join(seeker);
        assertThat(failure.get()).isInstanceOf(InterruptedException.class);
        owner.release();
        assertThat(pool.tryAcquire()).isNotNull();
    }

    @Test
    void aThreadThatHoldsAGuardDoesNotWait() {
        PerCpuPool<Object> pool = pool(1);
        Pooled<Object> only = pool.tryAcquire();
        try (CpuGuard _ = CpuGuard.acquire()) {
            assertThat(pool.tryAcquire()).isNull();
            assertThatThrownBy(pool::acquire)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("guard");
            assertThatThrownBy(() -> pool.tryAcquire(1, TimeUnit.DAYS))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("must not wait for an object of ");
        }
        assertThat(pool.statistics().waiting()).isZero();
        only.release();
    }

    /** At the first look another thread has the guard, so that nothing is found. */
    @Test
    @Tag("rseq")
    void closingLooksAgainWhereAGuardWasTaken() throws InterruptedException {
        PerCpuPool<Object> pool = poolWithItsObjectOnTheFirstCpu();
        Holder owner = Holder.of(CpuId.of(firstCpu));
        Thread closer = Thread.ofPlatform().start(pool::close);
        awaitBlocked(closer);
        assertThat(closer.isAlive()).isTrue();
        owner.release();
        Workers.join(closer);
        assertThat(destroyed).hasSize(1);
    }

    /** Without a fence that another thread's search could rely on. */
    @Test
    @Tag("rseq")
    void aSearchWhoseFenceWasRefusedIsNoSearch() {
        PerCpuPool<Object> pool = pool(1);
        Pooled<Object> only = pool.tryAcquire();
        OnCpu.run(firstCpu, () -> {
            Seccomp.refuse(Call.MEMBARRIER, EPERM);
            assertThatThrownBy(pool::tryAcquire).isInstanceOf(LinuxException.class);
        });
        assertThat(pool.statistics().searches()).isEqualTo(1);
        assertThat(pool.tryAcquire()).isNull();
        assertThat(pool.statistics().searches()).isEqualTo(2);
        only.release();
    }

    /** What is idle could not be destroyed then. */
    @Test
    @Tag("rseq")
    void aPoolThatCouldNotBeSearchedIsNotClosed() {
        PerCpuPool<Object> pool = pool(1);
        OnCpu.run(firstCpu, () -> {
            Seccomp.refuse(Call.MEMBARRIER, EPERM);
            assertThatThrownBy(pool::close).isInstanceOf(LinuxException.class);
        });
        assertThat(pool.ids.closed).isFalse();
        assertThat(pool.tryAcquire()).isNotNull();
    }
}
