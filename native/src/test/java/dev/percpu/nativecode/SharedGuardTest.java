package dev.percpu.nativecode;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.CpuGuard;
import dev.percpu.ExternPerCpu;
import dev.percpu.PerCpuRuntime;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.cpu.CpuId;
import dev.percpu.internal.linux.KernelThreads;
import dev.percpu.internal.protocol.GuardWords;
import dev.percpu.testing.LogCapture;
import dev.percpu.testing.Workers;
import java.lang.foreign.MemoryLayout;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One guard for both sides: each waits for the other. Java takes over the guards of C threads that have ended. */
class SharedGuardTest {
    private static final CpuId CPU = CpuId.of(0);

    private final Driver driver = Driver.load("guards");

    @BeforeEach
    void share() {
        ExternPerCpu.declare(driver.lookup(), "a_pair", MemoryLayout.structLayout(JAVA_LONG, JAVA_LONG));
    }

    @Test
    void javaFindsTheGuardTakenThatCodeInCHolds() throws InterruptedException {
        CountDownLatch held = new CountDownLatch(1);
        CountDownLatch tried = new CountDownLatch(1);
        Thread holder = new Thread(() -> driver.withGuardOf(CPU.id(), () -> {
            held.countDown();
            awaitUninterrupted(tried);
        }));
        holder.start();
        held.await();
        try (CpuGuard guard = CpuGuard.tryAcquire(CPU)) {
            assertThat(guard).isNull();
        } finally {
            tried.countDown();
        }
        holder.join();
        try (CpuGuard guard = CpuGuard.tryAcquire(CPU)) {
            assertThat(guard).isNotNull();
        }
    }

    @Test
    void javaWaitsUntilCodeInCReleases() throws InterruptedException {
        CountDownLatch held = new CountDownLatch(1);
        AtomicBoolean released = new AtomicBoolean();
        Thread waiter = Thread.currentThread();
        Thread holder = new Thread(() -> driver.withGuardOf(CPU.id(), () -> {
            held.countDown();
            Workers.awaitTimedWait(waiter);
            released.set(true);
        }));
        holder.start();
        held.await();
        try (CpuGuard guard = CpuGuard.acquire(CPU)) {
            assertThat(released).isTrue();
            assertThat(guard.cpu()).isEqualTo(CPU);
        }
        holder.join();
    }

    @Test
    void codeInCWaitsUntilJavaReleases() throws InterruptedException {
        AtomicBoolean released = new AtomicBoolean();
        AtomicBoolean inTime = new AtomicBoolean();
        Thread waiter = new Thread(() -> driver.withGuardOf(CPU.id(), () -> inTime.set(released.get())));
        try (CpuGuard guard = CpuGuard.acquire(CPU)) {
            waiter.start();
            sleep(100);
            assertThat(guard.cpu()).isEqualTo(CPU);
            released.set(true);
        }
        waiter.join();
        assertThat(inTime).isTrue();
    }

    @Test
    void codeInCThatDiedIsTakenOverLoudly() throws InterruptedException {
        // The log is kept from before: the thread that looks for dead owners may be faster than this one.
        try (LogCapture log = new LogCapture()) {
            driver.dieWithGuardOf(CPU.id());
            try (CpuGuard guard = CpuGuard.acquire(CPU)) {
                assertThat(guard.cpu()).isEqualTo(CPU);
            }
            assertThat(log.awaitMessage("taken over"))
                    .startsWith("WARNING: the guard of CPU 0 was never closed by C code on thread ");
        }
        // What the dead one had nested is forgotten as well: C code acquires and gives back the guard as ever.
        AtomicBoolean ran = new AtomicBoolean();
        driver.withGuardOf(CPU.id(), () -> ran.set(true));
        assertThat(ran).isTrue();
        try (CpuGuard guard = CpuGuard.tryAcquire(CPU)) {
            assertThat(guard).isNotNull();
        }
    }

    @Test
    void codeInCTakesOverFromCodeInCThatDied() {
        driver.dieWithGuardOf(CPU.id());
        AtomicBoolean ran = new AtomicBoolean();
        driver.withGuardOf(CPU.id(), () -> ran.set(true));
        assertThat(ran).isTrue();
        try (CpuGuard guard = CpuGuard.tryAcquire(CPU)) {
            assertThat(guard).isNotNull();
        }
    }

    /** C code cannot tell whether one of Java's threads has ended. */
    @Test
    void codeInCDoesNotWaitForAThreadOfJavaThatDied() throws InterruptedException {
        try (LogCapture log = new LogCapture()) {
            Thread dying = new Thread(SharedGuardTest::acquireAndDie, "dying");
            dying.start();
            dying.join();
            AtomicBoolean ran = new AtomicBoolean();
            driver.withGuardOf(CPU.id(), () -> ran.set(true));
            assertThat(ran).isTrue();
            assertThat(log.awaitMessage("the guard of CPU 0 was never closed by "))
                    .contains("dying");
        }
        try (CpuGuard guard = CpuGuard.tryAcquire(CPU)) {
            assertThat(guard).isNotNull();
        }
    }

    /** Whatever goes wrong with one dead thread, the next one is found too. */
    @Test
    void codeInCDoesNotWaitForDeadThreadsAfterOneThatCannotBeDescribed() throws InterruptedException {
        Thread indescribable = new Thread(SharedGuardTest::acquireAndDie) {
            @Override
            public String toString() {
                throw new IllegalStateException("this thread does not want to be described");
            }
        };
        try (LogCapture log = new LogCapture()) {
            for (Thread dying : List.of(indescribable, new Thread(SharedGuardTest::acquireAndDie))) {
                dying.start();
                dying.join();
                AtomicBoolean ran = new AtomicBoolean();
                driver.withGuardOf(CPU.id(), () -> ran.set(true));
                assertThat(ran).isTrue();
            }
            assertThat(log.awaitMessages(2, "taken over"))
                    .allSatisfy(message -> assertThat(message).startsWith("WARNING"));
        }
    }

    @SuppressWarnings("MustBeClosedChecker") // as it would be after an error
    private static void acquireAndDie() {
        CpuGuard.acquire(CPU);
    }

    @Test
    void anOwnerInCThatStaysIsReported() throws InterruptedException {
        CountDownLatch held = new CountDownLatch(1);
        CountDownLatch reported = new CountDownLatch(1);
        Thread holder = new Thread(() -> driver.withGuardOf(CPU.id(), () -> {
            held.countDown();
            awaitUninterrupted(reported);
        }));
        try (LogCapture log = new LogCapture()) {
            holder.start();
            held.await();
            Thread waiter = new Thread(() -> {
                try (CpuGuard guard = CpuGuard.acquire(CPU)) {
                    assertThat(guard.cpu()).isEqualTo(CPU);
                }
            });
            waiter.start();
            assertThat(log.awaitMessage("by C code on thread "))
                    .containsPattern("guard of CPU 0 held for over \\d+ s ");
            reported.countDown();
            waiter.join();
        } finally {
            reported.countDown();
        }
        holder.join();
    }

    /** The kernel has given the id of the owner, which has ended, to a thread that lives: this one. */
    @Test
    void codeInCThatDiedIsTakenOverAlsoWhenItsIdIsUsedAgain() throws InterruptedException {
        int id = KernelThreads.current();
        long owner = -(((KernelThreads.startTime(id) - 1) << 22) | id);
        try (LogCapture log = new LogCapture()) {
            assertThat(GuardWords.CURRENT.tryAcquireOn(CPU.id(), owner)).isTrue();
            try (CpuGuard guard = CpuGuard.tryAcquire(CPU, 1, TimeUnit.MINUTES)) {
                assertThat(guard).isNotNull();
            }
            assertThat(log.awaitMessage("taken over")).contains("C code on thread " + id);
        }
    }

    /** As after a stack overflow between the acquisition and the count. The thread has no stack trace. */
    @Test
    void aCpuThatAThreadOfCodeInCHasLeftBehindInJavaIsFreed() {
        CountDownLatch owned = new CountDownLatch(1);
        Runnable leaves = () -> {
            try (CpuGuard guard = CpuGuard.acquire()) {
                assertThat(guard).isNotNull();
            }
            GuardWords.CURRENT.tryAcquireOn(CPU.id(), Thread.currentThread().threadId());
            owned.countDown();
        };
        driver.withVisit(leaves, () -> {
            try (LogCapture log = new LogCapture()) {
                owned.await();
                try (CpuGuard guard = CpuGuard.tryAcquire(CPU, 1, TimeUnit.MINUTES)) {
                    assertThat(guard).isNotNull();
                }
                log.awaitMessage("left behind");
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
    }

    /** It would wait for itself. */
    @Test
    void javaCalledFromCodeThatHoldsTheGuardIsRefusedRatherThanStuck() {
        driver.withGuardOf(CPU.id(), () -> {
            assertThatThrownBy(() -> CpuGuard.acquire(CPU))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("would have to wait for the guard of CPU 0")
                    .hasMessageContaining("C code must not call Java code that acquires a guard");
        });
    }

    /** A task that waited for the guard would wait for ever, and with it the thread that holds the guard. */
    @Test
    void soIsATaskOnEachCpu() {
        driver.withGuardOf(
                CPU.id(),
                () -> assertThatThrownBy(() -> CpuId.onEachCpu(_ -> {}))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("would have to wait for a task on each CPU"));
    }

    @Test
    void aPoolWhoseObjectLiesBehindThatGuardIsRefusedToo() {
        try (PerCpuPool<Object> pool = PerCpuPool.builder(1, Object::new).build()) {
            CpuId.onEachCpu(cpu -> {
                if (cpu.equals(CPU)) {
                    pool.tryAcquire().release();
                }
            });
            driver.withGuardOf(CPU.id(), () -> {
                // On the atomic back end, the object is where every thread finds it.
                if (PerCpuRuntime.backend().equals("rseq")) {
                    assertThatThrownBy(() -> pool.tryAcquire(1, TimeUnit.SECONDS))
                            .isInstanceOf(IllegalStateException.class)
                            .hasMessageContaining("would have to wait for an object of ");
                }
            });
            assertThat(pool.tryAcquire()).isNotNull();
        }
    }

    @Test
    void variablesCannotBeDeclaredFromCodeThatHoldsTheirGuard() {
        Driver other = Driver.load("guards-held");
        other.withGuardOf(
                CPU.id(),
                () -> assertThatThrownBy(() -> ExternPerCpu.declare(
                                other.lookup(), "a_pair", MemoryLayout.structLayout(JAVA_LONG, JAVA_LONG)))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("C code on this very thread holds a guard of theirs"));
        assertThat(other.isShared()).isFalse();
        ExternPerCpu.declare(other.lookup(), "a_pair", MemoryLayout.structLayout(JAVA_LONG, JAVA_LONG));
        assertThat(other.isShared()).isTrue();
    }

    /** C code that holds a guard of the one library's may be waiting for that of the other's. */
    @Test
    void norFromCodeThatHoldsAnotherLibrarysGuard() {
        Driver other = Driver.load("guards-held-of-another");
        driver.withGuardOf(
                CPU.id(),
                () -> assertThatThrownBy(() -> declarePair(other))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("C code on this very thread holds the guard of CPU 0"));
        assertThat(other.isShared()).isFalse();
        declarePair(other);
        assertThat(other.isShared()).isTrue();
    }

    /** The one waits for the guard, and the other must not wait for the one. */
    @Test
    void declaringIsRefusedAlsoWhileAnotherThreadDeclaresTheSameLibrary() throws InterruptedException {
        Driver other = Driver.load("guards-held-twice");
        Thread declaring = new Thread(() -> declarePair(other));
        other.withGuardOf(CPU.id(), () -> {
            declaring.start();
            while (!other.isClosing()) {
                sleep(1);
            }
            assertThatThrownBy(() -> declarePair(other))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("C code on this very thread holds a guard of theirs");
            // A library that has its place already does not have to wait.
            declarePair(driver);
        });
        declaring.join();
        assertThat(other.isShared()).isTrue();
    }

    private static void declarePair(Driver driver) {
        ExternPerCpu.declare(driver.lookup(), "a_pair", MemoryLayout.structLayout(JAVA_LONG, JAVA_LONG));
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
