package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.testing.Garbage;
import dev.percpu.testing.Workers;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What checked mode keeps of read locks that other threads unlock, while some thread always has the lock. */
class ReadHoldsTest {
    private static final int LOCKS = 200;

    private final ReadHolds holds = new ReadHolds("a test");
    private final List<WeakReference<Object>> kept = new ArrayList<>();

    private void lock() {
        ReadHolds.Hold hold = ReadHolds.prepare();
        kept.add(new WeakReference<>(hold));
        holds.add(hold);
    }

    private boolean fewAreKept() {
        return kept.stream().filter(hold -> !hold.refersTo(null)).count() <= 2;
    }

    @Test
    void oneThreadLocksAndAnotherUnlocks() throws InterruptedException {
        lock();
        for (int i = 0; i < LOCKS; i++) {
            lock();
            Workers.run("other-", 1, _ -> holds.remove());
        }
        Garbage.collectUntil(this::fewAreKept);
        holds.remove();
        assertThatThrownBy(holds::remove).isInstanceOf(IllegalMonitorStateException.class);
    }

    @Test
    void threadsThatEndLockAndAnotherUnlocks() throws InterruptedException {
        lock();
        for (int i = 0; i < LOCKS; i++) {
            Workers.run("other-", 1, _ -> lock());
            Workers.run("other-", 1, _ -> holds.remove());
        }
        Garbage.collectUntil(this::fewAreKept);
        holds.remove();
        assertThatThrownBy(holds::remove).isInstanceOf(IllegalMonitorStateException.class);
        assertThat(kept).hasSize(LOCKS + 1);
    }

    /** Whose hold another thread has ended, nobody knows. */
    @Test
    void onlyAThreadThatCertainlyReadsIsRefused() throws InterruptedException {
        lock();
        Workers.run("other-", 1, _ -> lock());
        Workers.run("other-", 1, _ -> holds.remove());
        assertThatCode(() -> holds.checkNoneOfMine("writes")).doesNotThrowAnyException();
        lock();
        assertThatThrownBy(() -> holds.checkNoneOfMine("writes")).isInstanceOf(IllegalStateException.class);
    }

    /** An error broke the other thread's unlock off, and nobody has unlocked. */
    @Test
    void aHoldThatAnotherThreadPutsBackCanBeEndedOnce() throws InterruptedException {
        lock();
        Workers.run("other-", 1, _ -> holds.putBack(holds.remove()));
        holds.remove();
        assertThatThrownBy(holds::remove).isInstanceOf(IllegalMonitorStateException.class);
    }
}
