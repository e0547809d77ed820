package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.percpu.CpuGuard;
import dev.percpu.Holder;
import dev.percpu.OnCpu;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.guard.Reports;
import dev.percpu.internal.linux.BoundThread;
import dev.percpu.internal.linux.LinuxException;
import dev.percpu.testing.Machine.Call;
import dev.percpu.testing.Seccomp;
import dev.percpu.testing.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Releases that come late: they push an object after a search that did not find it. The push is done here as a release
 * does it that had read "direct" before the search.
 */
class PerCpuPoolLateReleaseTest extends PoolStacksFixture {
    /** The ids of a pool in which a thread that waits looks again only if it is told. */
    private static PooledIds ids(int capacity) {
        return PerCpuPoolWaitingTest.told(() -> new PooledIds(capacity, "a pool"));
    }

    /** A thread that waits for an id, once it does. */
    private static Thread waitFor(PooledIds ids, AtomicReference<Integer> got) throws InterruptedException {
        Thread waiter = Thread.ofPlatform()
                .start(() -> got.set(PerCpuPoolConcurrencyTest.uninterrupted(() -> ids.seek(Long.MAX_VALUE))));
        while (ids.snapshot().waiting() == 0) {
            Thread.sleep(1);
        }
        return waiter;
    }

    /** The kernel refuses the look. */
    @Test
    @Tag("rseq")
    void whoWaitsIsWokenByAReleaseThatCannotLookAgain() throws InterruptedException {
        PooledIds ids = ids(2);
        Pooled<Object> entry = new Pooled<>(pool(2), ids.seek() & ~PooledIds.VACANT);
        int _ = ids.seek();
        AtomicReference<Integer> got = new AtomicReference<>();
        Thread waiter = waitFor(ids, got);
        BoundThread giver = BoundThread.start(firstCpu, () -> {
            assertThat(ids.push(entry.id)).isTrue();
            Seccomp.refuse(Call.MEMBARRIER, EPERM);
            assertThatThrownBy(ids::lookAgain).isInstanceOf(LinuxException.class);
        });
        Workers.join(giver);
        assertThat(giver.await()).isNull();
        Workers.join(waiter);
        assertThat(got.get()).isEqualTo(entry.id);
    }

    @Test
    void whoWaitsIsWokenByAReleaseThatCameAfterTheSearch() throws InterruptedException {
        PooledIds ids = ids(1);
        int id = ids.seek() & ~PooledIds.VACANT;
        AtomicReference<Integer> got = new AtomicReference<>();
        Thread waiter = waitFor(ids, got);
        OnCpu.run(firstCpu, () -> {
            assertThat(ids.push(id)).isTrue();
            assertThat(ids.lookAgain()).isEqualTo(PooledIds.NONE);
        });
        Workers.join(waiter);
        assertThat(got.get()).isEqualTo(id);
    }

    /** An error breaks the release off after the push. */
    @Test
    void whoWaitsFindsWhatNobodyTellsOf() throws InterruptedException {
        PooledIds ids = new PooledIds(1, "a pool");
        int id = ids.seek() & ~PooledIds.VACANT;
        AtomicReference<Integer> got = new AtomicReference<>();
        Thread waiter = waitFor(ids, got);
        OnCpu.run(firstCpu, () -> assertThat(ids.push(id)).isTrue());
        Workers.join(waiter);
        assertThat(got.get()).isEqualTo(id);
    }

    /** The guard's owner may wait for a guard of this thread, so this thread must not wait for it; nor need it. */
    @Test
    @Tag("rseq")
    void aReleaseByTheOwnerOfAGuardDoesNotWaitForAnother() throws InterruptedException {
        PerCpuPool<Object> pool = poolWithItsObjectOnTheFirstCpu();
        Holder owner = Holder.of(CpuId.of(firstCpu));
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread seeker = Thread.ofPlatform()
                .start(() -> failure.set(catchThrowable(() -> pool.acquire().release())));
        awaitBlocked(seeker);
        if (firstCpu != lastCpu) {
            try (CpuGuard _ = CpuGuard.acquire(CpuId.of(lastCpu))) {
                // As a release that pushed the object before it was searched for.
                assertThat(pool.ids.lookAgain()).isEqualTo(PooledIds.NONE);
            }
        }
        owner.release();
        Workers.join(seeker);
        assertThat(failure.get()).isNull();
    }

    /** The release found "direct" set after its push, and its own object is found. The guard may never be closed. */
    @Test
    @Tag("rseq")
    void aReleaseDoesNotWaitForAnotherThreadsGuard() throws InterruptedException {
        PerCpuPool<Object> pool = poolWithItsObjectOnTheFirstCpu();
        Holder owner = Holder.of(CpuId.of(firstCpu));
        assertThat(pool.tryAcquire(0, TimeUnit.NANOSECONDS)).isNull();
        Thread giver = Thread.ofPlatform().daemon().start(() -> pool.ids.lookAgain());
        try {
            Workers.join(giver);
        } finally {
            owner.release();
        }
        assertThat(pool.tryAcquire()).isNotNull();
    }

    /** Pushes an object onto the first CPU's stack as a release does that had begun before the pool was closed. */
    private void pushToAClosedPool(PerCpuPool<Object> pool) {
        Pooled<Object> held = pool.tryAcquire();
        pool.close();
        held.state = Pooled.IDLE;
        OnCpu.run(firstCpu, () -> assertThat(pool.ids.push(held.id)).isTrue());
    }

    /** A release that pushed its object before the pool was closed, onto a stack whose CPU's guard another one has. */
    private Thread releaseToAClosedPool(PerCpuPool<Object> pool, AtomicBoolean interrupted) {
        pushToAClosedPool(pool);
        return Thread.ofPlatform().daemon().unstarted(() -> {
            int left = pool.ids.lookAgain();
            interrupted.set(Thread.interrupted());
            if (left != PooledIds.NONE) {
                pool.retire(pool.entries[left]);
            }
        });
    }

    @Test
    @Tag("rseq")
    void aReleaseToAClosedPoolWaitsForTheGuard() throws InterruptedException {
        while (!waitsForTheGuard()) {
            // The machine was away for so long that the release may have given up, as in the next test.
            destroyed.clear();
        }
    }

    /** Whether all of it came to pass before a release gives up. */
    private boolean waitsForTheGuard() throws InterruptedException {
        PerCpuPool<Object> pool = pool(1);
        AtomicBoolean interrupted = new AtomicBoolean();
        Thread giver = releaseToAClosedPool(pool, interrupted);
        Holder owner = Holder.of(CpuId.of(firstCpu));
        long begun = System.nanoTime();
        giver.start();
        // An interrupt does not end the wait, and is not lost: neither one that comes before it nor one in the middle.
        giver.interrupt();
        awaitBlocked(giver);
        giver.interrupt();
        awaitBlocked(giver);
        owner.release();
        Workers.join(giver);
        if (System.nanoTime() - begun > Reports.LONG_NANOS) {
            pool.close();
            return false;
        }
        assertThat(destroyed).hasSize(1);
        assertThat(interrupted).isTrue();
        return true;
    }

    @Test
    @Tag("rseq")
    void butNotForEver() throws InterruptedException {
        PerCpuPool<Object> pool = pool(1);
        Thread giver = releaseToAClosedPool(pool, new AtomicBoolean());
        Holder owner = Holder.of(CpuId.of(firstCpu));
        giver.start();
        try {
            Workers.join(giver);
        } finally {
            owner.release();
        }
        assertThat(destroyed).isEmpty();
        pool.close();
        assertThat(destroyed).hasSize(1);
    }

    /** As above, and the pool was closed in between; what is left is destroyed by the next one who looks. */
    @Test
    @Tag("rseq")
    void whatTheOwnerOfAGuardLeavesInAClosedPoolIsDestroyedLater() throws InterruptedException {
        PerCpuPool<Object> pool = pool(1);
        pushToAClosedPool(pool);
        Holder owner = Holder.of(CpuId.of(firstCpu));
        if (firstCpu != lastCpu) {
            try (CpuGuard _ = CpuGuard.acquire(CpuId.of(lastCpu))) {
                assertThat(pool.ids.lookAgain()).isEqualTo(PooledIds.NONE);
            }
        }
        assertThat(destroyed).isEmpty();
        owner.release();
        pool.close();
        assertThat(destroyed).hasSize(1);
    }

    /** As above, and somebody comes upon it before anybody looks for it. */
    @Test
    void whatIsLeftInAClosedPoolIsNotLent() {
        PerCpuPool<Object> pool = pool(1);
        pushToAClosedPool(pool);
        OnCpu.run(
                firstCpu,
                () -> assertThatThrownBy(pool::tryAcquire)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("closed"));
        assertThat(destroyed).hasSize(1);
    }

    /** It is late, and comes before the closing thread has destroyed the many that are idle. */
    @Test
    void afterALateReleaseNothingIsPushedInAClosedPool() {
        int idle = 4 * CpuMask.usable().weight();
        PerCpuPool<Object> pool = pool(idle + 1);
        List<Pooled<Object>> handles = new ArrayList<>();
        for (int i = 0; i <= idle; i++) {
            handles.add(pool.tryAcquire());
        }
        Pooled<Object> held = handles.removeLast();
        handles.forEach(Pooled::release);
        pool.ids.close();
        assertThat(pool.ids.lookAgain()).isNotEqualTo(PooledIds.NONE);
        Object object = held.get();
        held.release();
        assertThat(destroyed).containsExactly(object);
    }
}
