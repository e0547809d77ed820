package dev.percpu.stress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.stress.subject.Subject;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** What a stress run makes of structures that are broken. */
class EpochTest {
    private final LongAdder operations = new LongAdder();

    /** For a subject that ends the run itself. On a busy machine, a worker may begin late. */
    private static final Duration UNTIL_IT_ENDS = Duration.ofMinutes(2);

    private void run(Subject subject, Duration patience, Duration length) throws InterruptedException {
        Subject.Kind kind = new Subject.Kind("broken", _ -> subject);
        new Epoch(List.of(kind), Map.of("broken", operations), new LongAdder(), patience, 1).run(2, 2, length);
    }

    /** A plain number that many threads add to. */
    private static final class Losing implements Subject {
        private final AtomicLong added = new AtomicLong();
        private final AtomicLong number = new AtomicLong();

        @Override
        public int use(RandomGenerator random) {
            added.incrementAndGet();
            long seen = number.get();
            Thread.onSpinWait();
            number.set(seen + 1);
            return 1;
        }

        @Override
        public void verify() {
            // One is lost for certain.
            number.decrementAndGet();
            Subject.expect("number", added.get(), number.get());
        }
    }

    @Test
    void whatIsLostIsToldAtTheEnd() {
        assertThatThrownBy(() -> run(new Losing(), Epoch.STALLED, Duration.ofSeconds(1)))
                .isInstanceOf(AssertionError.class)
                .hasMessageMatching("broken: number: \\d+ instead of \\d+, lost \\d+");
        assertThat(operations.sum()).isPositive();
    }

    /** Fails at its hundredth use. */
    private static final class Failing implements Subject {
        private final AtomicInteger uses = new AtomicInteger();

        @Override
        public int use(RandomGenerator random) {
            Subject.expect(uses.incrementAndGet() != 100, "two owners");
            return 1;
        }

        @Override
        public void verify() {
            throw new IllegalStateException("not after a failure");
        }
    }

    @Test
    void whatIsSeenInUseEndsTheRun() {
        assertThatThrownBy(() -> run(new Failing(), Epoch.STALLED, UNTIL_IT_ENDS))
                .isInstanceOf(AssertionError.class)
                .hasMessage("broken: two owners");
    }

    /** Somebody waits for a wake-up that never comes. */
    private static final class Hanging implements Subject {
        private final CountDownLatch never = new CountDownLatch(1);

        @Override
        public int use(RandomGenerator random) throws InterruptedException {
            never.await();
            throw new AssertionError("the test is over");
        }

        @Override
        public void verify() {}
    }

    @Test
    void whoHangsIsFoundAndToldWhere() {
        Hanging hanging = new Hanging();
        try {
            assertThatThrownBy(() -> run(hanging, Duration.ofMillis(300), UNTIL_IT_ENDS))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageMatching("broken: 4 threads get nowhere; stacks are in .*threads.txt");
        } finally {
            hanging.never.countDown();
        }
    }
}
