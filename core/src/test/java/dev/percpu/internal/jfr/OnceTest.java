package dev.percpu.internal.jfr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.testing.Effort;
import dev.percpu.testing.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
class OnceTest {
    private final Once once = new Once();
    private final List<String> done = new ArrayList<>();

    @Test
    void whatWasDoneIsNotDoneAgain() {
        once.run(() -> done.add("first"));
        once.run(() -> done.add("second"));
        assertThat(done).containsExactly("first");
    }

    @Test
    void whatFailedIsDoneAgain() {
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> once.run(() -> {
                        throw new StackOverflowError();
                    }))
                    .isInstanceOf(StackOverflowError.class);
        }
        once.run(() -> done.add("third"));
        once.run(() -> done.add("fourth"));
        assertThat(done).containsExactly("third");
    }

    @Test
    void whatFailedLaterIsDoneAgainToo() {
        once.run(() -> done.add("first"));
        once.again();
        once.run(() -> done.add("second"));
        once.run(() -> done.add("third"));
        assertThat(done).containsExactly("first", "second");
    }

    /** Both find that it failed. */
    @Test
    @SuppressWarnings("ThreadPriorityCheck") // with one CPU, the other thread needs it
    void onlyOneOfTwoThreadsDoesItAgain() throws InterruptedException {
        int rounds = Effort.scaled(4_000);
        AtomicInteger arrived = new AtomicInteger();
        AtomicInteger[] times = new AtomicInteger[rounds];
        Once[] failed = new Once[rounds];
        for (int i = 0; i < rounds; i++) {
            times[i] = new AtomicInteger();
            failed[i] = new Once();
            failed[i].run(() -> {});
            failed[i].again();
        }
        Workers.run("once-", 2, _ -> {
            for (int i = 0; i < rounds; i++) {
                arrived.incrementAndGet();
                while (arrived.get() < 2 * (i + 1)) {
                    Thread.yield();
                }
                failed[i].run(times[i]::incrementAndGet);
            }
        });
        assertThat(times).extracting(AtomicInteger::get).containsOnly(1);
    }

    @Test
    void whoeverComesMeanwhileDoesNotWait() {
        once.run(() -> once.run(() -> done.add("inner")));
        assertThat(done).isEmpty();
    }
}
