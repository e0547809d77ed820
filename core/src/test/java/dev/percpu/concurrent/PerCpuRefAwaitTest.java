package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.CpuGuard;
import dev.percpu.testing.Workers;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Waiting for the end of a reference count, and several references at once. The time limit ends a wait for ever. */
class PerCpuRefAwaitTest {
    private final AtomicInteger releases = new AtomicInteger();
    private final PerCpuRef ref = new PerCpuRef(releases::incrementAndGet);

    @Test
    void whatNobodyUsesEndsAtOnce() throws InterruptedException {
        assertThat(ref.killAndAwait(0, TimeUnit.SECONDS)).isTrue();
        assertThat(releases).hasValue(1);
        assertThat(ref.killAndAwait(0, TimeUnit.SECONDS)).as("ended already").isTrue();
        ref.reinit();
        ref.get();
        assertThat(ref.killAndAwait(0, TimeUnit.SECONDS)).as("the next life").isFalse();
        ref.put();
        assertThat(releases).hasValue(2);
    }

    @Test
    void timeRunsOutAndTheRefStaysKilled() throws InterruptedException {
        ref.get();
        for (long nanos : new long[] {Long.MIN_VALUE, -1, 0, 1000}) {
            assertThat(ref.killAndAwait(nanos, TimeUnit.NANOSECONDS)).isFalse();
            assertThat(ref.isKilled()).isTrue();
        }
        ref.put();
        assertThat(ref.killAndAwait(0, TimeUnit.SECONDS)).isTrue();
    }

    /** The count is zero while the action runs, which is not the end yet. */
    @Test
    void waitsForTheReleaseActionToo() throws InterruptedException {
        CountDownLatch ends = new CountDownLatch(1);
        CountDownLatch runs = new CountDownLatch(1);
        PerCpuRef slow = new PerCpuRef(() -> {
            runs.countDown();
            Workers.await(ends, Thread.currentThread());
            releases.incrementAndGet();
        });
        slow.get();
        slow.kill();
        Thread putter = Thread.ofPlatform().start(slow::put);
        runs.await();
        assertThat(slow.killAndAwait(1, TimeUnit.MILLISECONDS)).isFalse();
        ends.countDown();
        assertThat(slow.killAndAwait(1, TimeUnit.DAYS)).isTrue();
        assertThat(releases).hasValue(1);
        Workers.join(putter);
    }

    @Test
    void anActionThatThrowsEndsTheWaitAsWell() throws InterruptedException {
        PerCpuRef failing = new PerCpuRef(() -> {
            throw new IllegalStateException("thrown by the action");
        });
        failing.get();
        failing.kill();
        assertThatThrownBy(failing::put).hasMessage("thrown by the action");
        assertThat(failing.killAndAwait(1, TimeUnit.DAYS)).isTrue();
    }

    @Test
    void aResurrectionAndAnInterruptEndTheWait() {
        ref.get();
        boolean[] ended = {true};
        Thread waiter = waiter(() -> ended[0] = ref.killAndAwait(1, TimeUnit.DAYS));
        assertThat(ref.resurrect()).isTrue();
        Workers.join(waiter);
        assertThat(ended[0]).isFalse();
        Throwable[] thrown = new Throwable[1];
        Thread second = waiter(() -> {
            try {
                boolean _ = ref.killAndAwait(1, TimeUnit.DAYS);
            } catch (InterruptedException e) {
                thrown[0] = e;
            }
        });
        second.interrupt();
        Workers.join(second);
        assertThat(thrown[0]).isInstanceOf(InterruptedException.class);
        assertThat(ref.isKilled()).isTrue();
    }

    @Test
    void theLastPutEndsTheWait() {
        ref.get(3);
        boolean[] ended = new boolean[1];
        Thread waiter = waiter(() -> ended[0] = ref.killAndAwait(1, TimeUnit.DAYS));
        ref.put(2);
        assertThat(releases).hasValue(0);
        ref.put();
        Workers.join(waiter);
        assertThat(ended[0]).isTrue();
        assertThat(releases).hasValue(1);
    }

    /** The release action of one life begins the next one, which ends while that action still runs. */
    @Test
    void whoWaitsForALifeWaitsForItsReleaseActionAndForNoOther() throws InterruptedException {
        CountDownLatch secondLife = new CountDownLatch(1);
        CountDownLatch ends = new CountDownLatch(1);
        boolean[] firstIsOver = new boolean[1];
        PerCpuRef[] self = new PerCpuRef[1];
        PerCpuRef twice = new PerCpuRef(() -> {
            if (releases.incrementAndGet() == 1) {
                self[0].reinit();
                secondLife.countDown();
                Workers.await(ends, Thread.currentThread());
                firstIsOver[0] = true;
            }
        });
        self[0] = twice;
        twice.get();
        boolean[] overOnReturn = new boolean[1];
        Thread waiter = waiter(() -> {
            boolean ended = twice.killAndAwait(1, TimeUnit.DAYS);
            overOnReturn[0] = ended && firstIsOver[0];
        });
        Thread putter = Thread.ofPlatform().start(twice::put);
        secondLife.await();
        assertThat(twice.killAndAwait(1, TimeUnit.DAYS)).as("the second life").isTrue();
        assertThat(releases).hasValue(2);
        // The end of the second life has woken it.
        Workers.awaitTimedWait(waiter);
        ends.countDown();
        Workers.join(waiter, putter);
        assertThat(overOnReturn[0]).as("the first action was over").isTrue();
    }

    /** Another kill does not make it wait for the life that went on. */
    @Test
    void aResurrectionEndsTheWaitAlsoIfTheRefIsKilledAgain() {
        ref.get();
        boolean[] ended = {true};
        Thread waiter = waiter(() -> ended[0] = ref.killAndAwait(1, TimeUnit.DAYS));
        assertThat(ref.resurrect()).isTrue();
        assertThat(ref.kill()).isTrue();
        Workers.join(waiter);
        assertThat(ended[0]).isFalse();
        ref.put();
        assertThat(releases).hasValue(1);
    }

    /** The life that it waits for is not the one whose count is wrong. */
    @Test
    void aResurrectionEndsTheWaitAlsoIfTheNextLifeHasMorePutsThanGets() {
        ref.get();
        boolean[] ended = {true};
        Thread waiter = waiter(() -> ended[0] = ref.killAndAwait(1, TimeUnit.DAYS));
        assertThat(ref.resurrect()).isTrue();
        ref.put(2);
        assertThatThrownBy(ref::kill).isInstanceOf(IllegalStateException.class);
        Workers.join(waiter);
        assertThat(ended[0]).isFalse();
    }

    /** Also if another thread killed the ref, and so got the first exception. */
    @Test
    void nobodyWaitsForACountBelowZero() {
        ref.put(2);
        assertThatThrownBy(ref::kill).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> ref.killAndAwait(1, TimeUnit.MILLISECONDS))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("the puts outnumber the gets by 2");
        assertThat(releases).hasValue(0);
    }

    @Test
    void whoHoldsAGuardDoesNotWait() throws InterruptedException {
        ref.get();
        try (CpuGuard _ = CpuGuard.acquire()) {
            assertThatThrownBy(() -> ref.killAndAwait(1, TimeUnit.DAYS))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("guard");
            assertThat(ref.killAndAwait(0, TimeUnit.DAYS)).isFalse();
        }
        ref.put();
    }

    @Test
    void severalReferencesAtOnce() {
        ref.get(5);
        ref.put(2);
        ref.kill();
        ref.get(4);
        assertThatThrownBy(() -> ref.put(8))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("only 7");
        ref.put(6);
        assertThat(releases).hasValue(0);
        ref.put(1);
        assertThat(releases).hasValue(1);
        assertThatThrownBy(() -> ref.get(2))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("zero");
        assertThatThrownBy(() -> ref.put(2)).isInstanceOf(IllegalStateException.class);
        for (int wrong : new int[] {Integer.MIN_VALUE, -1, 0}) {
            assertThatThrownBy(() -> ref.get(wrong))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(Integer.toString(wrong));
            assertThatThrownBy(() -> ref.put(wrong)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @FunctionalInterface
    private interface Task {
        void run() throws InterruptedException;
    }

    /** Returns when the thread waits. */
    private static Thread waiter(Task task) {
        Thread waiter = Thread.ofPlatform().start(() -> {
            try {
                task.run();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        Workers.awaitTimedWait(waiter);
        return waiter;
    }
}
