package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.guard.Ownership;
import dev.percpu.testing.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** {@link PerCpu#forEachCpu} by a thread that holds a guard or is interrupted, and with an action that throws. */
class ForEachCpuTest {
    private static final StaticPerCpu<int[]> VARIABLE = StaticPerCpu.define("ForEachCpuTest", () -> new int[1]);

    private static final List<CpuId> POSSIBLE =
            CpuMask.possible().ids().mapToObj(CpuId::of).toList();

    private static final CpuId FIRST = POSSIBLE.getFirst();
    private static final CpuId LAST = POSSIBLE.getLast();

    private final List<CpuId> visited = new ArrayList<>();
    private Holder holder;

    /** One of the two methods. */
    private interface Loop {
        void run() throws InterruptedException;
    }

    private final List<Loop> loops = List.of(
            () -> VARIABLE.forEachCpu((cpu, _) -> visit(cpu)),
            () -> VARIABLE.forEachCpu(1, TimeUnit.DAYS, (cpu, _) -> visit(cpu)));

    /** Which CPU's visit throws, if any. */
    private CpuId throwing;

    private void visit(CpuId cpu) {
        visited.add(cpu);
        assertThat(Ownership.owner(cpu.id())).isEqualTo(Thread.currentThread().threadId());
        if (cpu.equals(throwing)) {
            throw new IllegalArgumentException("on " + cpu);
        }
    }

    @AfterEach
    void allGuardsAreFree() throws InterruptedException {
        letGo();
        for (CpuId cpu : POSSIBLE) {
            assertThat(CpuGuard.owner(cpu)).as(cpu.toString()).isEmpty();
        }
    }

    private void letGo() throws InterruptedException {
        if (holder != null) {
            holder.release();
            holder = null;
        }
    }

    @Test
    void whoHoldsAGuardVisitsEveryCpuWhoseGuardNobodyElseHolds() throws InterruptedException {
        try (CpuGuard guard = CpuGuard.acquire(LAST)) {
            for (Loop loop : loops) {
                visited.clear();
                loop.run();
                assertThat(visited).isEqualTo(POSSIBLE);
                assertOwnedOnly(guard);
            }
        }
    }

    /** Whoever has that guard may be waiting for this thread's. With one CPU there is no other guard to hold. */
    @Test
    void whoHoldsAGuardIsRefusedToWaitForAnother() throws InterruptedException {
        if (POSSIBLE.size() == 1) {
            return;
        }
        holder = Holder.of(LAST);
        try (CpuGuard guard = CpuGuard.acquire(FIRST)) {
            for (Loop loop : loops) {
                visited.clear();
                assertThatThrownBy(loop::run)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("must not wait for the guard of " + LAST);
                assertThat(visited).isEqualTo(POSSIBLE.subList(0, POSSIBLE.size() - 1));
                assertOwnedOnly(guard);
            }
            visited.clear();
            CpuMask had = VARIABLE.forEachCpu(0, TimeUnit.DAYS, (cpu, _) -> visit(cpu));
            assertThat(had.ids().mapToObj(CpuId::of).toList()).isEqualTo(visited);
            assertThat(visited).isEqualTo(POSSIBLE.subList(0, POSSIBLE.size() - 1));
        }
    }

    @Test
    void anExceptionOfTheActionEndsTheLoopAndItsGuard() throws InterruptedException {
        throwing = FIRST;
        for (Loop loop : loops) {
            assertFailsOnFirst(loop);
            assertThat(CpuGuard.isHeldByCurrentThread()).isFalse();
        }
        try (CpuGuard guard = CpuGuard.acquire(FIRST)) {
            for (Loop loop : loops) {
                assertFailsOnFirst(loop);
                assertOwnedOnly(guard);
            }
            // The loop's guard was a nested one, and the token that it was for has ended with it.
            VARIABLE.getMut(guard).run(instance -> instance[0]++);
        }
        throwing = null;
        loops.getFirst().run();
    }

    private void assertFailsOnFirst(Loop loop) {
        visited.clear();
        assertThatThrownBy(loop::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("on " + FIRST)
                .hasNoSuppressedExceptions();
        assertThat(visited).containsExactly(FIRST);
    }

    /** Nothing that it does is a wait. */
    @Test
    void anInterruptedThreadVisitsTheCpusWhoseGuardsAreFree() throws InterruptedException {
        for (Loop loop : loops) {
            visited.clear();
            Thread.currentThread().interrupt();
            loop.run();
            assertThat(Thread.interrupted()).isTrue();
            assertThat(visited).isEqualTo(POSSIBLE);
        }
    }

    @Test
    void anInterruptedThreadDoesNotWaitForATime() throws InterruptedException {
        holder = Holder.of(FIRST);
        List<CpuId> free = POSSIBLE.subList(1, POSSIBLE.size());
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> VARIABLE.forEachCpu(1, TimeUnit.DAYS, (cpu, _) -> visit(cpu)))
                .isInstanceOf(InterruptedException.class);
        assertThat(Thread.interrupted()).isFalse();
        assertThat(visited).isEqualTo(free);

        visited.clear();
        Thread.currentThread().interrupt();
        CpuMask had = VARIABLE.forEachCpu(0, TimeUnit.DAYS, (cpu, _) -> visit(cpu));
        assertThat(Thread.interrupted()).isTrue();
        assertThat(had.test(FIRST)).isFalse();
        assertThat(visited).isEqualTo(free);
    }

    @Test
    void anInterruptedThreadWaitsUntilItHasVisitedAll() throws InterruptedException {
        holder = Holder.of(FIRST);
        AtomicReference<Boolean> interrupted = new AtomicReference<>();
        Thread waiter = new Thread(() -> {
            Thread.currentThread().interrupt();
            VARIABLE.forEachCpu((cpu, _) -> visit(cpu));
            interrupted.set(Thread.interrupted());
        });
        waiter.start();
        Workers.awaitTimedWait(waiter);
        letGo();
        Workers.join(waiter);
        assertThat(interrupted).hasValue(true);
        assertThat(visited).isEqualTo(POSSIBLE);
    }

    /** An interrupt while it waits. */
    @Test
    void anInterruptEndsTheWaitForATime() throws InterruptedException {
        holder = Holder.of(FIRST);
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread waiter = new Thread(() -> {
            try {
                VARIABLE.forEachCpu(1, TimeUnit.DAYS, (cpu, _) -> visit(cpu));
            } catch (InterruptedException e) {
                thrown.set(e);
            }
        });
        waiter.start();
        Workers.awaitTimedWait(waiter);
        waiter.interrupt();
        Workers.join(waiter);
        assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
        assertThat(visited).isEqualTo(POSSIBLE.subList(1, POSSIBLE.size()));
    }

    private static void assertOwnedOnly(CpuGuard guard) {
        for (CpuId cpu : POSSIBLE) {
            if (Ownership.owner(cpu.id()) == Thread.currentThread().threadId()) {
                assertThat(cpu).isEqualTo(guard.cpu());
            }
        }
        assertThat(Ownership.owner(guard.cpu().id()))
                .isEqualTo(Thread.currentThread().threadId());
    }
}
