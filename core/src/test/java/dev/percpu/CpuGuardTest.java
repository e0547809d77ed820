package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.guard.OpenGuards;
import dev.percpu.internal.guard.Ownership;
import dev.percpu.internal.protocol.GuardWords;
import dev.percpu.testing.Effort;
import dev.percpu.testing.LogCapture;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The guard: who owns what, nesting, remote CPUs, dead owners, and what is refused.
 *
 * <p>This file is longer than others: a guard has many states, and the tests read best as one list.
 */
@SuppressWarnings("MustBeClosedChecker") // closing twice, in the wrong order and not at all is the subject
@VmTest({"affinity", "atomic", "cpuset", "hotplug", "machine", "many", "sparse"})
class CpuGuardTest {
    private static final CpuId FIRST = CpuMask.allowed().iterator().next();

    @AfterEach
    void everyGuardIsFree() {
        for (CpuId cpu : CpuMask.possible()) {
            assertThat(isHeld(cpu)).as("%s is free after the test", cpu).isFalse();
        }
    }

    @Test
    void ownsACpuUntilItIsClosed() {
        CpuGuard guard = CpuGuard.acquire();
        CpuId cpu = guard.cpu();
        assertThat(isHeldByMe(cpu)).isTrue();
        guard.close();
        assertThat(isHeldByMe(cpu)).isFalse();
        assertThat(guard.toString()).contains("closed");
    }

    @Test
    void nestsOnTheSameCpuOrAFreeOne() {
        try (CpuGuard outer = CpuGuard.acquire()) {
            try (CpuGuard inner = CpuGuard.acquire()) {
                assertThat(isHeldByMe(inner.cpu())).isTrue();
            }
            assertThat(isHeldByMe(outer.cpu()))
                    .as("closing the inner guard frees nothing of the outer")
                    .isTrue();
        }
    }

    @Test
    void nestsInAGuardOfTheSameRemoteCpu() {
        for (CpuId cpu : CpuMask.allowed()) {
            try (CpuGuard outer = CpuGuard.acquire(cpu)) {
                try (CpuGuard inner = CpuGuard.acquire(cpu)) {
                    assertThat(inner.cpu()).isEqualTo(outer.cpu()).isEqualTo(cpu);
                }
                assertThat(isHeldByMe(cpu)).isTrue();
            }
        }
    }

    @Test
    void acquiresEveryPossibleCpuFromAny() {
        List<CpuGuard> guards = new ArrayList<>();
        for (CpuId cpu : CpuMask.possible()) {
            guards.add(CpuGuard.acquire(cpu));
            assertThat(isHeldByMe(cpu)).isTrue();
        }
        guards.reversed().forEach(CpuGuard::close);
    }

    @Test
    void aGuardOfWhateverCpuIsHadWithoutWaitingByWhoHoldsOne() throws InterruptedException {
        List<Holder> others = new ArrayList<>();
        try (CpuGuard mine = CpuGuard.acquire(FIRST)) {
            for (CpuId cpu : CpuMask.possible()) {
                if (!cpu.equals(FIRST)) {
                    others.add(Holder.of(cpu));
                }
            }
            // On whatever CPU this thread runs, it is taken, by this thread or another: so it nests.
            try (CpuGuard nested = CpuGuard.acquire()) {
                assertThat(nested.cpu()).isEqualTo(mine.cpu());
            }
            try (CpuGuard nested = CpuGuard.tryAcquire()) {
                assertThat(nested).isNotNull();
            }
        } finally {
            for (Holder other : others) {
                other.release();
            }
        }
    }

    /** Nothing is refused, since it would not wait. */
    @Test
    void withoutTimeItDoesNotWaitForAnotherCpuWhileHoldingOne() throws InterruptedException {
        CpuId other = last();
        Holder holder = Holder.of(other);
        try (CpuGuard mine = CpuGuard.acquire(FIRST)) {
            assertThat(CpuGuard.tryAcquire(other, 0, TimeUnit.DAYS)).isNull();
            assertThat(CpuGuard.tryAcquire(other, Long.MIN_VALUE, TimeUnit.NANOSECONDS))
                    .isNull();
            assertThat(isHeldByMe(mine.cpu())).isTrue();
        } finally {
            holder.release();
        }
    }

    @Test
    void refusesToWaitForAnotherCpuWhileHoldingOne() throws InterruptedException {
        CpuId other = last();
        Holder holder = Holder.of(other);
        try (CpuGuard mine = CpuGuard.acquire(FIRST)) {
            assertThatThrownBy(() -> CpuGuard.acquire(other))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("CPU " + other.id())
                    .hasMessageContaining("must not wait");
            assertThat(CpuGuard.tryAcquire(other)).isNull();
            assertThatThrownBy(() -> CpuGuard.tryAcquire(other, 1, TimeUnit.DAYS))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("must not wait");
            assertThat(isHeldByMe(mine.cpu())).isTrue();
        } finally {
            holder.release();
        }
    }

    @Test
    void tryAcquireDoesNotWait() throws InterruptedException {
        List<Holder> holders = new ArrayList<>();
        for (CpuId cpu : CpuMask.possible()) {
            holders.add(Holder.of(cpu));
        }
        try {
            assertThat(CpuGuard.tryAcquire()).isNull();
            assertThat(CpuGuard.tryAcquire(FIRST)).isNull();
        } finally {
            for (Holder holder : holders) {
                holder.release();
            }
        }
        try (CpuGuard guard = CpuGuard.tryAcquire()) {
            assertThat(guard).isNotNull();
        }
    }

    @Test
    void waitsUntilTheOwnerIsDoneAndKeepsAnInterrupt() throws InterruptedException {
        List<Holder> holders = new ArrayList<>();
        for (CpuId cpu : CpuMask.possible()) {
            holders.add(Holder.of(cpu));
        }
        AtomicReference<CpuGuard> acquired = new AtomicReference<>();
        AtomicReference<Boolean> interrupted = new AtomicReference<>();
        Thread waiter = new Thread(() -> {
            CpuGuard guard = CpuGuard.acquire();
            acquired.set(guard);
            interrupted.set(Thread.interrupted());
            guard.close();
        });
        waiter.start();
        waiter.interrupt();
        waiter.join(50);
        assertThat(acquired.get()).as("acquired while all are held").isNull();
        for (Holder holder : holders) {
            holder.release();
        }
        waiter.join();
        assertThat(acquired.get()).isNotNull();
        assertThat(interrupted.get()).isTrue();
    }

    @Test
    void closingTwiceIsRefused() {
        CpuGuard guard = CpuGuard.acquire();
        guard.close();
        assertThatThrownBy(guard::close)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("is closed");
        assertThat(isHeld(guard.cpu())).isFalse();
    }

    @Test
    void closingTheOuterGuardFirstIsRefused() {
        CpuGuard outer = CpuGuard.acquire(FIRST);
        CpuGuard inner = CpuGuard.acquire(FIRST);
        assertThatThrownBy(outer::close)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("reverse order");
        assertThat(isHeldByMe(FIRST)).isTrue();
        inner.close();
        assertThat(isHeldByMe(FIRST)).isTrue();
        outer.close();
    }

    @Test
    void anotherThreadCanNeitherUseNorCloseIt() throws InterruptedException {
        try (CpuGuard guard = CpuGuard.acquire()) {
            StaticPerCpu<int[]> variable = StaticPerCpu.define("CpuGuardTest", () -> new int[1]);
            Workers.run("other-", 1, number -> {
                assertThatThrownBy(guard::close)
                        .isInstanceOf(WrongThreadException.class)
                        .hasMessageContaining("belongs to");
                assertThatThrownBy(() -> variable.getMut(guard)).isInstanceOf(WrongThreadException.class);
            });
            assertThat(isHeldByMe(guard.cpu())).isTrue();
        }
    }

    @Test
    void nestingHasALimitThatIsSaid() {
        List<CpuGuard> guards = new ArrayList<>();
        for (int i = 0; i < OpenGuards.MOST; i++) {
            guards.add(CpuGuard.acquire(FIRST));
        }
        assertThatThrownBy(() -> CpuGuard.acquire(FIRST))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("which is the maximum");
        guards.reversed().forEach(CpuGuard::close);
    }

    static Stream<ThreadFactory> kindsOfThreads() {
        return Stream.of(
                Thread.ofPlatform().name("doomed").factory(),
                Thread.ofVirtual().name("doomed").factory());
    }

    @ParameterizedTest
    @MethodSource("kindsOfThreads")
    void aDeadOwnersCpuIsTakenOverAndItsBorrowsEnd(ThreadFactory kind) throws InterruptedException {
        StaticPerCpu<int[]> variable = StaticPerCpu.define("CpuGuardTest", () -> new int[1]);
        Thread doomed = kind.newThread(() -> {
            CpuGuard guard = CpuGuard.acquire(FIRST);
            CpuGuard nested = CpuGuard.acquire(FIRST);
            variable.getMut(nested).run(instance -> instance[0] = 42);
            assertThat(guard.cpu()).isEqualTo(nested.cpu());
        });
        doomed.start();
        doomed.join();
        assertThat(isHeld(FIRST)).isTrue();

        try (LogCapture log = new LogCapture();
                CpuGuard guard = CpuGuard.acquire(FIRST)) {
            assertThat(variable.getMut(guard).<Integer>with(instance -> instance[0]))
                    .isEqualTo(42);
            assertThat(log.awaitMessage("taken over")).startsWith("WARNING").contains("doomed");
        }
    }

    @Test
    void aDeadOwnersCpuIsTakenOverByTryAcquireAndByWaitersToo() throws InterruptedException {
        Holder.of(FIRST).die();
        try (LogCapture log = new LogCapture();
                CpuGuard guard = CpuGuard.tryAcquire(FIRST)) {
            assertThat(guard).isNotNull();
            log.awaitMessage("taken over");
        }

        Holder dying = Holder.of(FIRST);
        Thread waiter = new Thread(() -> CpuGuard.acquire(FIRST).close());
        try (LogCapture log = new LogCapture()) {
            waiter.start();
            Workers.awaitTimedWait(waiter);
            dying.die();
            waiter.join();
            log.awaitMessage("taken over");
        }
    }

    @Test
    void exactlyOneOfManyTakesOver() throws InterruptedException {
        for (int round = 0; round < Effort.scaled(20); round++) {
            Holder.of(FIRST).die();
            int[] inside = new int[2];
            try (LogCapture log = new LogCapture()) {
                Workers.run("heir-", 8, number -> {
                    try (CpuGuard guard = CpuGuard.acquire(FIRST)) {
                        assertThat(guard.cpu()).isEqualTo(FIRST);
                        assertThat(++inside[0]).isEqualTo(1);
                        inside[1]++;
                        inside[0]--;
                    }
                });
                assertThat(log.awaitMessages(1, "taken over")).hasSize(1);
            }
            assertThat(inside).containsExactly(0, 8);
        }
    }

    /** As after a stack overflow between the acquisition and the guard's creation. */
    @Test
    void aCpuThatIsOwnedWithoutAGuardIsFreedByTheNextGuard() {
        assertThat(GuardWords.CURRENT.tryAcquireOn(
                        FIRST.id(), Thread.currentThread().threadId()))
                .isTrue();
        try (CpuGuard outer = CpuGuard.acquire(FIRST)) {
            try (CpuGuard inner = CpuGuard.acquire(FIRST)) {
                assertThat(inner.cpu()).isEqualTo(outer.cpu());
            }
            assertThat(isHeldByMe(FIRST)).isTrue();
        }
        assertThat(isHeld(FIRST)).isFalse();
    }

    /**
     * The handler is somebody else's code: it may want the very guard that was taken over, and it may throw. Then that
     * report is lost, and the next one says so. This test makes the next one too: no other test's log shall say it.
     */
    @Test
    void aLogHandlerMayUseGuardsAndThrow() throws InterruptedException {
        // Two reports, and that one of them was lost.
        CountDownLatch handled = new CountDownLatch(3);
        try (LogCapture log = new LogCapture(() -> {
            CpuGuard.acquire(FIRST).close();
            handled.countDown();
            if (handled.getCount() == 2) {
                throw new IllegalStateException("a broken handler");
            }
        })) {
            for (int i = 0; i < 2; i++) {
                Holder.of(FIRST).die();
                try (CpuGuard guard = CpuGuard.acquire(FIRST)) {
                    assertThat(guard.cpu()).isEqualTo(FIRST);
                }
            }
            handled.await();
            assertThat(log.messages().getLast()).contains("lost before this one: 1;");
        }
    }

    /** Local and remote owners of every CPU at once: nobody is ever inside with another. */
    @Test
    void localAndRemoteOwnersExcludeEachOther() throws InterruptedException {
        int threads = 8;
        int rounds = Effort.scaled(20_000);
        List<CpuId> cpus = CpuMask.allowed().ids().mapToObj(CpuId::of).toList();
        StaticPerCpu<long[]> counts = StaticPerCpu.define("CpuGuardTest", () -> new long[2]);
        Workers.run("mixed-", threads, number -> {
            for (int round = 0; round < rounds; round++) {
                boolean remote = round % 4 == number % 4;
                try (CpuGuard guard = remote ? CpuGuard.acquire(cpus.get(round % cpus.size())) : CpuGuard.acquire()) {
                    counts.getMut(guard).run(count -> {
                        count[0]++;
                        count[1]++;
                    });
                }
            }
        });
        long[] total = new long[1];
        counts.forEachCpu((cpu, count) -> {
            assertThat(count[1]).isEqualTo(count[0]);
            total[0] += count[0];
        });
        assertThat(total[0]).isEqualTo((long) threads * rounds);
    }

    private static CpuId last() {
        CpuId last = FIRST;
        for (CpuId cpu : CpuMask.possible()) {
            last = cpu;
        }
        assertThat(last).as("this test needs two CPUs").isNotEqualTo(FIRST);
        return last;
    }

    private static boolean isHeldByMe(CpuId cpu) {
        return Ownership.owner(cpu.id()) == Thread.currentThread().threadId();
    }

    private static boolean isHeld(CpuId cpu) {
        return Ownership.owner(cpu.id()) != 0;
    }
}
