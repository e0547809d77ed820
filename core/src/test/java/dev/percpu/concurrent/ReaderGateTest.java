package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.percpu.testing.Workers;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a reader whose wait ends with an error leaves behind. The time limit ends a wait for ever. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ReaderGateTest {
    private final ReaderGate gate = new ReaderGate("a gate", new Pace(0, 0));

    /** The next writer waits for a reader that was let in, and that reader's wait then ends with an error. */
    @Test
    void aReaderThatFailsAfterItWasLetInWakesTheWriterThatWaitsForIt() throws InterruptedException {
        CountDownLatch secondWriterWaits = new CountDownLatch(1);
        shut();
        Patience failing = (Waiting) condition -> {
            // Gives up the mutex each time, so that the writers can do their part before the reader notices.
            while (secondWriterWaits.getCount() > 0) {
                long _ = condition.awaitNanos(TimeUnit.MILLISECONDS.toNanos(1));
            }
            throw new StackOverflowError("injected");
        };
        Throwable[] ending = new Throwable[1];
        Thread reader = Thread.ofPlatform().start(() -> ending[0] = catchThrowable(() -> gate.enter(failing)));
        awaitWaiting(1);
        gate.open();
        Thread writer = Thread.ofPlatform().start(this::shut);
        awaitWaiting(1);
        secondWriterWaits.countDown();
        Workers.join(reader, writer);
        assertThat(ending[0]).isInstanceOf(StackOverflowError.class);
        assertThat(gate.isAlone()).isTrue();
        gate.open();
    }

    /** A reader whose wait ends before it was let in is counted nowhere. */
    @Test
    void aReaderThatFailsBeforeItWasLetInIsNotCounted() throws InterruptedException {
        shut();
        for (Patience patience : new Patience[] {
            Patience.NONE,
            Patience.ofNanos(1000),
            (Waiting) _ -> {
                throw new StackOverflowError("injected");
            },
            (Waiting) _ -> {
                throw new InterruptedException();
            }
        }) {
            try {
                assertThat(gate.enter(patience)).isFalse();
            } catch (StackOverflowError | InterruptedException e) {
                assertThat(e.getStackTrace()).isNotEmpty();
            }
            assertThat(gate.waiting()).isZero();
        }
        gate.open();
        shut();
        assertThat(gate.readersIfKnown()).isZero();
        gate.open();
        assertThat(gate.readersIfKnown()).isZero();
    }

    /** A patience that waits on conditions only. */
    @FunctionalInterface
    private interface Waiting extends Patience {
        @Override
        default boolean lock(Lock line) {
            throw new AssertionError("there is no line");
        }
    }

    private void shut() {
        try {
            assertThat(gate.begin(Patience.UNINTERRUPTIBLE)).isTrue();
            assertThat(gate.awaitAlone(Patience.UNINTERRUPTIBLE)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void awaitWaiting(long threads) throws InterruptedException {
        while (gate.waiting() < threads) {
            Thread.sleep(1);
        }
    }
}
