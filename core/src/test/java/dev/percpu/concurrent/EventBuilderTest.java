package dev.percpu.concurrent;

import static dev.percpu.concurrent.PerCpuEvent.Argument.FIRST;
import static dev.percpu.concurrent.PerCpuEvent.Argument.SECOND;
import static dev.percpu.concurrent.PerCpuEvent.Argument.THIRD;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What an event cannot be made of. */
class EventBuilderTest {
    private final PerCpuCounter count = new PerCpuCounter();
    private final PerCpuCounter bytes = new PerCpuCounter();
    private final PerCpuDoubleCounter seconds = new PerCpuDoubleCounter();
    private final PerCpuHistogram latency =
            PerCpuHistogram.builder().name("latency").highestTrackable(1000).build();
    private final PerCpuAccumulator slowest = PerCpuAccumulator.maximum();

    private static EventBuilder named(String name) {
        return PerCpuEvent.builder().name(name);
    }

    @Test
    void tooManyUpdates() {
        EventBuilder builder = named("long");
        for (int i = 0; i < 15; i++) {
            builder.increment(new PerCpuCounter());
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.record(latency, FIRST))
                .withMessage("long would have 17 updates, and an event has at most 16, of which a histogram takes two:"
                        + " make two events of it");
        PerCpuEvent event = builder.increment(count).build();
        event.record();
        assertThat(count.sum()).isEqualTo(1);
    }

    @Test
    void tooManyValues() {
        EventBuilder builder =
                named("wide").add(bytes, FIRST).add(bytes, SECOND).add(bytes, THIRD);
        for (int i = 0; i < 3; i++) {
            builder.record(PerCpuHistogram.builder().build(), FIRST);
        }
        assertThatIllegalStateException()
                .isThrownBy(builder::build)
                .withMessageContaining("wide has 3 arguments and 3 histograms")
                .withMessageContaining("make two events of it");
    }

    @Test
    void theSameUpdateTwice() {
        EventBuilder builder = named("twice").increment(count).add(bytes, FIRST);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.increment(count))
                .withMessageContaining("twice already has the update 'add a constant' of this PerCpuCounter")
                .withMessageEndingWith("leave one out, or add the sum of both");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.add(bytes, FIRST))
                .withMessageContaining("'add FIRST'");
        builder.record(latency, FIRST).accumulate(slowest, FIRST);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.record(latency, FIRST))
                .withMessageEndingWith("leave one out");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.accumulate(slowest, FIRST))
                .withMessageEndingWith("leave one out");
        builder.add(bytes, SECOND).build().record(3, 4);
        assertThat(bytes.sum()).isEqualTo(7);
        assertThat(count.sum()).isEqualTo(1);
    }

    @Test
    void argumentsThatDoNotFit() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> named("mixed").add(bytes, FIRST).add(seconds, FIRST))
                .withMessage("the argument FIRST of mixed is a double for this PerCpuDoubleCounter and a long for a"
                        + " PerCpuCounter: give each an argument of its own");
        assertThatIllegalStateException()
                .isThrownBy(() ->
                        named("order").add(seconds, FIRST).add(bytes, SECOND).build())
                .withMessageContaining("SECOND of order is a long and one before it a double: pass the longs first");
        assertThatIllegalStateException()
                .isThrownBy(() -> named("gap").add(bytes, SECOND).build())
                .withMessageContaining("gap uses [SECOND] of its arguments, but not FIRST");
    }

    @Test
    void anUpdateWithoutItsArgumentLeavesNothingBehind() {
        EventBuilder builder = named("none");
        assertThatNullPointerException()
                .isThrownBy(() -> builder.add(bytes, null))
                .withMessage("argument");
        builder.add(bytes, 5).build().record();
        assertThat(bytes.sum()).isEqualTo(5);
    }

    @Test
    void anUpdateThatIsRefusedLeavesNothingBehind() {
        PerCpuCounterArray counters = new PerCpuCounterArray(2);
        EventBuilder builder = named("refusing").add(bytes, FIRST).add(seconds, SECOND);
        List<Runnable> refused = List.of(
                () -> builder.add(counters, FIRST, SECOND),
                () -> builder.add(counters, 0, SECOND),
                () -> builder.increment(counters, SECOND),
                () -> builder.add(count, SECOND),
                () -> builder.record(latency, SECOND),
                () -> builder.accumulate(slowest, SECOND),
                () -> builder.add(seconds, FIRST));
        for (int round = 0; round < 2; round++) {
            for (Runnable each : refused) {
                assertThatIllegalArgumentException()
                        .isThrownBy(each::run)
                        .withMessageContaining("an argument of its own");
            }
        }
        assertThat(builder.build()).hasToString("refusing: takes 1 long and 1 double, updates 2 variables");
    }

    /** If it were not refused, no event could update it. */
    @Test
    void anIndexOfAnEmptyArray() {
        EventBuilder builder = named("none");
        PerCpuCounterArray empty = new PerCpuCounterArray("empty", 0);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.increment(empty, FIRST))
                .withMessageContaining("none cannot update empty");
        assertThat(builder.increment(count).build()).hasToString("none: takes no argument, updates 1 variables");
    }

    @Test
    void anEventOfNothing() {
        assertThatIllegalStateException()
                .isThrownBy(() -> named("idle").build())
                .withMessageContaining("idle has no update that native code can make");
        assertThatIllegalArgumentException().isThrownBy(() -> named(" "));
    }
}
