package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.guard.Ownership;
import dev.percpu.testing.Effort;
import dev.percpu.testing.LogCapture;
import dev.percpu.testing.Workers;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Waiting for a guard: with a limit, until an interrupt, with many others; and what is said about it. */
@SuppressWarnings("MustBeClosedChecker") // what throws or returns null is the subject
class GuardWaitingTest {
    private static final CpuId FIRST = CpuMask.allowed().iterator().next();

    /** So many that the threads that carry them, as many as processors, are fewer than half of them. */
    private static final int WAITERS = 200 + 2 * Runtime.getRuntime().availableProcessors();

    private final List<Holder> holders = new ArrayList<>();

    /** Also after a failure, or the next test waits for ever. */
    @AfterEach
    void releaseAll() throws InterruptedException {
        while (!holders.isEmpty()) {
            holders.removeLast().release();
        }
    }

    /** All wait for one of them, which acquires the guard when the others wait already. */
    @Test
    void manyWaitersAreOneWarning() throws InterruptedException {
        hold(FIRST);
        CountDownLatch enough = new CountDownLatch(1);
        long startedBefore = ManagementFactory.getThreadMXBean().getTotalStartedThreadCount();
        try (LogCapture log = new LogCapture()) {
            List<Thread> waiters = new ArrayList<>();
            for (int i = 0; i < WAITERS; i++) {
                waiters.add(Thread.ofVirtual().name("waiter").start(() -> {
                    try (CpuGuard _ = CpuGuard.acquire(FIRST)) {
                        Workers.await(enough);
                    }
                }));
            }
            waiters.forEach(Workers::awaitTimedWait);
            releaseAll();
            int mostReporters = 0;
            while (log.messages().stream().noneMatch(message -> message.contains("\"waiter\""))) {
                mostReporters = Math.max(mostReporters, reporters());
                Thread.sleep(10);
            }
            // It stays for a while. On a busy machine nobody may have looked before.
            mostReporters = Math.max(mostReporters, reporters());
            enough.countDown();
            Workers.join(waiters);
            assertThat(mostReporters).isEqualTo(1);
            // Some carry virtual threads; waiting itself starts none but the reporter.
            assertThat(ManagementFactory.getThreadMXBean().getTotalStartedThreadCount() - startedBefore)
                    .isLessThan(WAITERS / 2);
            // The first owner may have been reported too, if it took long to start all that wait.
            assertThat(log.messages())
                    .map(message -> message.replaceFirst("; \\d+ waiting.*", ""))
                    .doesNotHaveDuplicates();
            assertThat(log.messages())
                    .filteredOn(message -> message.contains("\"waiter\""))
                    .first(InstanceOfAssertFactories.STRING)
                    .startsWith("WARNING")
                    .containsPattern("guard of CPU " + FIRST.id() + " held for over \\d+ s by thread #\\d+ \"waiter\"")
                    .containsPattern("; [1-9]\\d+ waiting for it");
        }
    }

    /** In all thread groups: a virtual thread may have started it, and then it is not in this thread's. */
    private static int reporters() {
        return (int) Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("percpu-reporter"))
                .count();
    }

    /** If each of them looked all the time, or as often as a single one does, they would need the processors whole. */
    @Test
    void manyWaitersLeaveTheProcessorsToOthers() throws InterruptedException {
        int waiters = 100;
        hold(FIRST);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < waiters; i++) {
            threads.add(Thread.ofPlatform().start(() -> CpuGuard.acquire(FIRST).close()));
        }
        threads.forEach(Workers::awaitTimedWait);
        // Until all of them sleep for long. Then they use 1.3% of a processor (see docs/guard.md), or 10 to 30% of an
        // emulated one.
        Thread.sleep(3_000);
        double least = Double.MAX_VALUE;
        // In a virtual machine, time in which the host was away can count as the threads' time.
        for (int second = 0; second < 3; second++) {
            least = Math.min(least, usedInASecond(threads));
        }
        releaseAll();
        Workers.join(threads);
        assertThat(least).isLessThan(Effort.processorShare(0.1));
    }

    /** How much of a processor the threads use; 1 is all of it. */
    private static double usedInASecond(List<Thread> threads) throws InterruptedException {
        long used = processorNanos(threads);
        long begun = System.nanoTime();
        Thread.sleep(1_000);
        used = processorNanos(threads) - used;
        return (double) used / (System.nanoTime() - begun);
    }

    private static long processorNanos(List<Thread> threads) {
        ThreadMXBean bean = ManagementFactory.getThreadMXBean();
        return threads.stream()
                .mapToLong(thread -> bean.getThreadCpuTime(thread.threadId()))
                .sum();
    }

    @Test
    void aTimeLimitIsKept() throws InterruptedException {
        holdAll();
        assertThat(CpuGuard.tryAcquire(1, TimeUnit.MILLISECONDS)).isNull();
        assertThat(CpuGuard.tryAcquire(0, TimeUnit.DAYS)).isNull();
        assertThat(CpuGuard.tryAcquire(Long.MIN_VALUE, TimeUnit.DAYS)).isNull();
        assertThat(CpuGuard.tryAcquire(FIRST, 300, TimeUnit.MILLISECONDS)).isNull();
        assertThat(CpuGuard.tryAcquire(FIRST, Long.MIN_VALUE, TimeUnit.NANOSECONDS))
                .isNull();
        releaseAll();
        try (CpuGuard guard = CpuGuard.tryAcquire(0, TimeUnit.DAYS)) {
            assertThat(guard).isNotNull();
            assertThat(CpuGuard.isHeldByCurrentThread()).isTrue();
        }
        try (CpuGuard guard = CpuGuard.tryAcquire(FIRST, -1, TimeUnit.DAYS)) {
            assertThat(guard.cpu()).isEqualTo(FIRST);
        }
        assertThat(CpuGuard.isHeldByCurrentThread()).isFalse();
    }

    @Test
    void aGuardThatIsFreedInTimeIsHad() throws InterruptedException {
        holdAll();
        AtomicInteger acquired = new AtomicInteger();
        Thread any = new Thread(() -> count(acquired, () -> CpuGuard.tryAcquire(Long.MAX_VALUE, TimeUnit.DAYS)));
        Thread given = new Thread(() -> count(acquired, () -> CpuGuard.tryAcquire(FIRST, 1, TimeUnit.DAYS)));
        Thread ready = new Thread(() -> count(acquired, CpuGuard::acquireInterruptibly));
        Thread readyForGiven = new Thread(() -> count(acquired, () -> CpuGuard.acquireInterruptibly(FIRST)));
        List<Thread> all = List.of(any, given, ready, readyForGiven);
        all.forEach(Thread::start);
        all.forEach(Workers::awaitTimedWait);
        assertThat(acquired).hasValue(0);
        releaseAll();
        Workers.join(all);
        assertThat(acquired).hasValue(4);
    }

    @Test
    void anInterruptEndsTheWait() throws InterruptedException {
        holdAll();
        for (Attempt attempt : List.<Attempt>of(
                CpuGuard::acquireInterruptibly,
                () -> CpuGuard.acquireInterruptibly(FIRST),
                () -> CpuGuard.tryAcquire(1, TimeUnit.DAYS),
                () -> CpuGuard.tryAcquire(FIRST, 1, TimeUnit.DAYS))) {
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            Thread waiter = new Thread(() -> {
                try {
                    attempt.acquire();
                } catch (InterruptedException e) {
                    boolean cleared = !Thread.currentThread().isInterrupted();
                    thrown.set(cleared ? e : new AssertionError("still interrupted"));
                }
            });
            waiter.start();
            Workers.awaitTimedWait(waiter);
            waiter.interrupt();
            Workers.join(waiter);
            assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
        }
        releaseAll();
    }

    @Test
    void anInterruptBeforeIsHeardToo() {
        for (Attempt attempt : List.<Attempt>of(
                CpuGuard::acquireInterruptibly,
                () -> CpuGuard.acquireInterruptibly(FIRST),
                () -> CpuGuard.tryAcquire(0, TimeUnit.DAYS),
                () -> CpuGuard.tryAcquire(FIRST, 0, TimeUnit.DAYS))) {
            Thread.currentThread().interrupt();
            assertThatThrownBy(attempt::acquire).isInstanceOf(InterruptedException.class);
            assertThat(Thread.interrupted()).isFalse();
            assertThat(CpuGuard.isHeldByCurrentThread()).isFalse();
        }
    }

    @Test
    void theOwnerCanBeAsked() throws InterruptedException {
        assertThat(CpuGuard.owner(FIRST)).isEmpty();
        assertThat(CpuGuard.describeOwner(FIRST)).isEmpty();
        Holder holder = hold(FIRST);
        assertThat(CpuGuard.owner(FIRST)).contains(holder.thread());
        assertThat(CpuGuard.describeOwner(FIRST))
                .contains("thread #" + holder.thread().threadId() + " \"dawdler\"");
        releaseAll();
        assertThat(CpuGuard.owner(FIRST)).isEmpty();
    }

    @Test
    void waitingForAnythingIsRefusedUnderAGuard() throws InterruptedException {
        Ownership.refuseToWait("an object of ", "the pool");
        // Any possible CPU will do, wherever this thread runs. With one CPU nobody else can hold another one's guard.
        CpuMask others = CpuMask.possible();
        others.clear(FIRST);
        CpuId mine = others.isEmpty() ? FIRST : others.iterator().next();
        try (CpuGuard guard = CpuGuard.acquire(mine)) {
            assertThatThrownBy(() -> Ownership.refuseToWait("an object of ", "the pool"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("holds the guard of " + guard.cpu())
                    .hasMessageContaining("must not wait for an object of the pool");
            if (!others.isEmpty()) {
                hold(FIRST);
                assertThatThrownBy(() -> CpuGuard.tryAcquire(FIRST, 1, TimeUnit.DAYS))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("must not wait for the guard of " + FIRST);
            }
        }
        releaseAll();
    }

    @Test
    void aLoopOverTheCpusLeavesOutWhatItCannotHave() throws InterruptedException {
        StaticPerCpu<int[]> variable = StaticPerCpu.define("GuardWaitingTest", () -> new int[1]);
        List<CpuId> order = new ArrayList<>();
        hold(FIRST);
        CpuMask free = CpuMask.possible();
        free.clear(FIRST);
        assertThat(variable.forEachCpu(10, TimeUnit.MILLISECONDS, (cpu, instance) -> order.add(cpu)))
                .isEqualTo(free);
        assertThat(order).hasSize(free.weight());
        assertThat(variable.forEachCpu(Long.MIN_VALUE, TimeUnit.DAYS, (cpu, instance) -> instance[0]++))
                .isEqualTo(free);

        order.clear();
        CountDownLatch visiting = new CountDownLatch(free.weight());
        AtomicReference<CpuMask> visited = new AtomicReference<>();
        Thread waiter = new Thread(() -> {
            try {
                visited.set(variable.forEachCpu(1, TimeUnit.DAYS, (cpu, instance) -> {
                    order.add(cpu);
                    visiting.countDown();
                }));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        waiter.start();
        Workers.await(visiting, waiter);
        releaseAll();
        Workers.join(waiter);
        assertThat(visited.get()).isEqualTo(CpuMask.possible());
        assertThat(order).hasSize(CpuMask.possible().weight());
        assertThat(order.getLast()).isEqualTo(FIRST);
    }

    private interface Attempt {
        CpuGuard acquire() throws InterruptedException;
    }

    private static void count(AtomicInteger acquired, Attempt attempt) {
        try (CpuGuard guard = attempt.acquire()) {
            assertThat(guard).isNotNull();
            acquired.incrementAndGet();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private Holder hold(CpuId cpu) throws InterruptedException {
        Holder holder = Holder.of(cpu, Thread.ofPlatform().name("dawdler").factory());
        holders.add(holder);
        return holder;
    }

    private void holdAll() throws InterruptedException {
        for (CpuId cpu : CpuMask.possible()) {
            hold(cpu);
        }
    }
}
