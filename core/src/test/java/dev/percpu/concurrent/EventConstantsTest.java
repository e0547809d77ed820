package dev.percpu.concurrent;

import static dev.percpu.concurrent.PerCpuEvent.Argument.FIRST;
import static dev.percpu.concurrent.PerCpuEvent.Argument.SECOND;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/** Events that always add the same, or always to the same counter of an array. */
class EventConstantsTest {
    @Test
    void aConstantIsAddedToADouble() {
        PerCpuDoubleCounter seconds = new PerCpuDoubleCounter();
        PerCpuEvent event =
                PerCpuEvent.builder().add(seconds, 0.5).add(seconds, FIRST).build();
        event.record(0.125);
        event.record(0.25);
        assertThat(seconds.sum()).isEqualTo(1.375);
    }

    @Test
    void aCounterOfAnArrayCanBeAlwaysTheSame() {
        PerCpuCounterArray counters = new PerCpuCounterArray("kinds", 3);
        PerCpuEvent event = PerCpuEvent.builder()
                .increment(counters, 0)
                .add(counters, 1, -5)
                .add(counters, 2, FIRST)
                .add(counters, SECOND, FIRST)
                .build();
        event.record(100, 0);
        event.record(200, 2);
        assertThat(counters.sums()).containsExactly(102, -10, 500);
        EventBuilder builder = PerCpuEvent.builder();
        assertThatThrownBy(() -> builder.increment(counters, 3))
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessage("index 3 is out of bounds for kinds of length 3");
        assertThatThrownBy(() -> builder.add(counters, -1, FIRST)).isInstanceOf(IndexOutOfBoundsException.class);
        builder.increment(counters, 1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.add(counters, 1, 7))
                .withMessageContaining("already has the update 'add at 1 a constant'");
    }
}
