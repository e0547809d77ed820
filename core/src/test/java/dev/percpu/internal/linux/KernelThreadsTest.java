package dev.percpu.internal.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.Machine;
import dev.percpu.testing.Seccomp;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Whether a kernel's thread has ended, and what is said if the kernel does not tell. */
@Tag("native")
class KernelThreadsTest {
    private static final int EPERM = 1;

    private volatile int number;

    @Test
    void aThreadRunsUntilItHasEnded() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        Thread thread = new Thread(() -> {
            number = KernelThreads.current();
            begun.countDown();
            awaitQuietly(end);
        });
        thread.start();
        begun.await();
        assertThat(KernelThreads.hasEnded(number)).isFalse();
        end.countDown();
        thread.join();
        // The kernel's thread ends a moment after Java's.
        while (!KernelThreads.hasEnded(number)) {
            Thread.sleep(1);
        }
        assertThat(KernelThreads.startTime(number)).isZero();
        assertThat(KernelThreads.describe(number)).isEqualTo("thread " + number);
    }

    /** The kernel tells the time behind the name, which is in parentheses and can have such itself. */
    @Test
    void theStartTimeDoesNotDependOnTheThreadsName() throws InterruptedException {
        long[] times = new long[2];
        String[] description = new String[1];
        Thread thread = new Thread(() -> {
            number = KernelThreads.current();
            times[0] = KernelThreads.startTime(number);
            Thread.currentThread().setName("a) 1 (b");
            times[1] = KernelThreads.startTime(number);
            description[0] = KernelThreads.describe(number);
        });
        thread.start();
        thread.join();
        assertThat(times[0]).isPositive().isEqualTo(times[1]);
        assertThat(description[0]).isEqualTo("thread " + number + " (a) 1 (b)");
    }

    @Test
    void whereTheKernelDoesNotTellNoThreadHasEnded() throws InterruptedException {
        boolean[] ended = {true};
        // Only this thread cannot ask.
        Thread thread = new Thread(() -> {
            Seccomp.refuse(Machine.Call.TGKILL, EPERM);
            ended[0] = KernelThreads.hasEnded(KernelThreads.current());
        });
        thread.start();
        thread.join();
        assertThat(ended[0]).isFalse();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
