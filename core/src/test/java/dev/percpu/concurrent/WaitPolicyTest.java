package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.CpuGuard;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** For how long a thread asks a condition and a lock to wait, and in which way. Neither really waits here. */
class WaitPolicyTest {
    private static final long HOUR = TimeUnit.HOURS.toNanos(1);

    /** The calls of the condition or the lock. */
    private final List<String> calls = new ArrayList<>();

    /** For how long at most the last one was to wait. */
    private long most;

    private boolean interrupts;

    private final Condition condition = recording(Condition.class);
    private final Lock line = recording(Lock.class);

    private <T> T recording(Class<T> type) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (_, method, arguments) -> {
                    calls.add(method.getName() + (Thread.currentThread().isInterrupted() ? " interrupted" : ""));
                    most = arguments == null ? Long.MAX_VALUE : (long) arguments[0];
                    if (interrupts) {
                        throw new InterruptedException();
                    }
                    if (method.getReturnType() == boolean.class) {
                        return true;
                    }
                    return method.getReturnType() == long.class ? 0L : null;
                }));
    }

    @Test
    void aWaitIsNoLongerThanTheTimeThatIsLeft() throws InterruptedException {
        WaitPolicy policy = WaitPolicy.ofNanos(HOUR);
        long made = System.nanoTime();
        pass();
        long waited = System.nanoTime() - made;
        assertThat(policy.await(condition, Long.MAX_VALUE, "a lock")).isTrue();
        assertThat(most).isLessThanOrEqualTo(HOUR - waited);
        assertThat(policy.lock(line, "a lock")).isTrue();
        assertThat(most).isLessThanOrEqualTo(HOUR - waited);
        assertThat(calls).containsExactly("awaitNanos", "tryLock");
    }

    /** A report of a long wait may be due earlier. */
    @ParameterizedTest
    @MethodSource("waiting")
    void aWaitIsNoLongerThanTheCallerSays(WaitPolicy policy) throws InterruptedException {
        assertThat(policy.await(condition, 5, "a lock")).isTrue();
        assertThat(most).isEqualTo(5);
    }

    @Test
    void onlyAnUninterruptibleWaitForTheLineIgnoresInterrupts() throws InterruptedException {
        assertThat(WaitPolicy.UNINTERRUPTIBLE.lock(line, "a lock")).isTrue();
        assertThat(WaitPolicy.INTERRUPTIBLE.lock(line, "a lock")).isTrue();
        assertThat(WaitPolicy.ofNanos(HOUR).lock(line, "a lock")).isTrue();
        assertThat(calls).containsExactly("lock", "lockInterruptibly", "tryLock");
    }

    /** With the flag set, a wait for a condition would end at once, again and again. */
    @Test
    void anUninterruptibleWaitReallyWaitsAndKeepsTheInterrupt() throws InterruptedException {
        Thread.currentThread().interrupt();
        assertThat(WaitPolicy.UNINTERRUPTIBLE.await(condition, HOUR, "a lock")).isTrue();
        assertThat(Thread.interrupted()).isTrue();
        interrupts = true;
        assertThat(WaitPolicy.UNINTERRUPTIBLE.await(condition, HOUR, "a lock")).isTrue();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(calls).containsExactly("awaitNanos", "awaitNanos");
    }

    /** Neither for the lock nor for the line of those who want it. */
    @ParameterizedTest
    @MethodSource("waiting")
    void whoHoldsAGuardDoesNotWait(WaitPolicy policy) {
        try (CpuGuard _ = CpuGuard.acquire()) {
            assertThatThrownBy(() -> policy.await(condition, HOUR, "a lock"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("a lock");
            assertThatThrownBy(() -> policy.lock(line, "a lock"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("a lock");
        }
        assertThat(calls).isEmpty();
    }

    static List<WaitPolicy> waiting() {
        return List.of(WaitPolicy.UNINTERRUPTIBLE, WaitPolicy.INTERRUPTIBLE, WaitPolicy.ofNanos(HOUR));
    }

    /** Until the clock has gone on. */
    private static void pass() {
        long before = System.nanoTime();
        while (System.nanoTime() == before) {
            Thread.onSpinWait();
        }
    }
}
