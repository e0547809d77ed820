package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.Workers;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A thread that was interrupted waits for a guard as others do: it sleeps, and is interrupted afterwards. */
@SuppressWarnings("MustBeClosedChecker") // guards of all CPUs are closed in a loop
class InterruptedWaitTest {
    private static final CpuId FIRST = CpuMask.allowed().iterator().next();

    /** Counts how often the thread is interrupted. If that was before each look, no look would have been slept for. */
    private static final class Counting extends Thread {
        private final AtomicInteger interrupts = new AtomicInteger();
        private volatile boolean interruptedAfterwards;

        @Override
        public void run() {
            interrupt();
            CpuGuard.acquire(FIRST).close();
            interruptedAfterwards = isInterrupted();
        }

        @Override
        public void interrupt() {
            interrupts.incrementAndGet();
            super.interrupt();
        }
    }

    @Test
    void itIsInterruptedOnceMoreAndNotBeforeEachLook() throws InterruptedException {
        Holder holder = Holder.of(FIRST);
        Counting waiter = new Counting();
        try {
            waiter.start();
            Workers.awaitTimedWait(waiter);
            // Time for some looks.
            Thread.sleep(100);
        } finally {
            holder.release();
        }
        Workers.join(waiter);
        assertThat(waiter.interruptedAfterwards).isTrue();
        assertThat(waiter.interrupts).hasValue(2);
    }

    /** The owner needs the only carrier, so it never closes its guards if the waiting thread keeps that. */
    static final class OneCarrier {
        private OneCarrier() {}

        public static void main(String[] arguments) throws InterruptedException {
            CountDownLatch held = new CountDownLatch(1);
            AtomicInteger interrupted = new AtomicInteger();
            Thread owner = Thread.startVirtualThread(() -> {
                Deque<CpuGuard> guards = new ArrayDeque<>();
                for (CpuId cpu : CpuMask.possible()) {
                    guards.push(CpuGuard.acquire(cpu));
                }
                held.countDown();
                sleep();
                guards.forEach(CpuGuard::close);
            });
            held.await();
            Runnable any = () -> CpuGuard.acquire().close();
            Runnable first = () -> CpuGuard.acquire(FIRST).close();
            Thread[] waiters = new Thread[4];
            for (int i = 0; i < waiters.length; i++) {
                Runnable wait = i % 2 == 0 ? any : first;
                waiters[i] = Thread.startVirtualThread(() -> {
                    Thread.currentThread().interrupt();
                    wait.run();
                    interrupted.addAndGet(Thread.interrupted() ? 1 : 0);
                });
            }
            for (Thread waiter : waiters) {
                waiter.join();
            }
            owner.join();
            System.out.println("interrupted=" + interrupted);
        }

        private static void sleep() {
            try {
                Thread.sleep(200);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    @Test
    void itLeavesTheCarrierToTheOwner() {
        assertThat(Jvm.asHere()
                        .option("-Djdk.virtualThreadScheduler.parallelism=1")
                        .option("-Djdk.virtualThreadScheduler.maxPoolSize=1")
                        .outputOf(OneCarrier.class))
                .contains("interrupted=4\n");
    }
}
