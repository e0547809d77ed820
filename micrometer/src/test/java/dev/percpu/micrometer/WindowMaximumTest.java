package dev.percpu.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.micrometer.core.instrument.MockClock;
import io.micrometer.core.instrument.distribution.TimeWindowMax;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** The maximum is the one that Micrometer's own class has. */
class WindowMaximumTest {
    private static final long STEP = 100;

    /** Of such steps somebody has to say when they end. */
    private static final long LONG_STEP = 10_000;

    /** A number, or a time to go on if it is negative. */
    @Provide
    Arbitrary<List<Integer>> steps() {
        return Arbitraries.frequencyOf(
                        net.jqwik.api.Tuple.of(3, Arbitraries.integers().between(0, 1000)),
                        net.jqwik.api.Tuple.of(2, Arbitraries.integers().between(-250, -1)),
                        net.jqwik.api.Tuple.of(1, Arbitraries.of(-100, -300, -1000)))
                .list()
                .ofMaxSize(40);
    }

    @Property
    void anyNumbersAtAnyTime(@ForAll("steps") List<Integer> steps, @ForAll @IntRange(min = 1, max = 5) int length) {
        isTheSame(steps, length, STEP, true);
        isTheSame(steps, length, LONG_STEP, true);
    }

    @Property
    void nobodyHasToEndShortSteps(
            @ForAll("steps") List<Integer> steps, @ForAll @IntRange(min = 1, max = 5) int length) {
        isTheSame(steps, length, STEP, false);
    }

    /**
     * Compares our maximum with Micrometer's.
     *
     * @param step how long a step takes; the times between the numbers are in proportion
     * @param always whether to compare after each number, and to end steps when time passes; otherwise only at the end
     */
    private void isTheSame(List<Integer> numbers, int length, long step, boolean always) {
        MockClock clock = new MockClock();
        WindowMaximum ours = new WindowMaximum(clock, Duration.ofMillis(step), length, this);
        TimeWindowMax micrometers = new TimeWindowMax(clock, step, length);
        for (int number : numbers) {
            if (number >= 0) {
                ours.record(number);
                micrometers.record((double) number, TimeUnit.NANOSECONDS);
            } else {
                clock.add(-number * step / STEP, TimeUnit.MILLISECONDS);
                if (always) {
                    ours.advance();
                }
            }
            if (always) {
                assertThat(ours.poll()).isEqualTo((long) micrometers.poll(TimeUnit.NANOSECONDS));
            }
        }
        assertThat(ours.poll()).isEqualTo((long) micrometers.poll(TimeUnit.NANOSECONDS));
    }

    @Test
    void theGreatestOfManyThreadsIsThere() throws InterruptedException {
        MockClock clock = new MockClock();
        for (int round = 1; round <= 50; round++) {
            WindowMaximum maximum = new WindowMaximum(clock, Duration.ofMillis(STEP), 3, this);
            Thread[] threads = new Thread[4];
            for (int i = 0; i < threads.length; i++) {
                int offset = i;
                threads[i] = Thread.ofVirtual().start(() -> {
                    for (int n = 1; n <= 1000; n++) {
                        maximum.record(n * threads.length + offset);
                    }
                });
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(maximum.poll()).isEqualTo(1000 * threads.length + threads.length - 1);
        }
    }

    @Test
    void aStepOfNoTimeIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new WindowMaximum(new MockClock(), Duration.ofNanos(1), 3, this))
                .withMessageContaining("PT0.000000001S");
    }
}
