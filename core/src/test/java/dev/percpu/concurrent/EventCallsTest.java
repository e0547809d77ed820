package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.backend.Interposed;
import dev.percpu.internal.code.EventShape;
import dev.percpu.internal.protocol.Events;
import dev.percpu.testing.Jvm;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * An event makes the call that was linked when it was built. Linking another one in the middle of the program would
 * take milliseconds, and could fail. A JVM of its own looks at each call.
 */
@Tag("native")
class EventCallsTest {
    @Test
    void anEventMakesTheCallThatWasLinkedWhenItWasBuilt() {
        assertThat(Jvm.asHere().run(Probe.class).output().strip()).isEqualTo("0 of 12 events made another call");
    }

    /** Runs in a JVM of its own. */
    static final class Probe {
        private static final int MOST_ARGUMENTS = 3;

        private static int passed;
        private static int linked;

        private Probe() {}

        public static void main(String[] arguments) {
            Interposed.replace(Events.class, Looking::new);
            int events = 0;
            int wrong = 0;
            for (int values = 1; values <= MOST_ARGUMENTS; values++) {
                for (int histograms = 0; values + histograms <= EventShape.MOST_VALUES; histograms++) {
                    record(values, histograms);
                    events++;
                    wrong += passed == linked ? 0 : 1;
                }
            }
            System.out.println(wrong + " of " + events + " events made another call");
        }

        private static void record(int values, int histograms) {
            // An event that makes no call, or one that nobody looks at, is wrong too.
            passed = 0;
            linked = -1;
            EventBuilder builder = PerCpuEvent.builder();
            for (PerCpuEvent.Argument argument : PerCpuEvent.Argument.values()) {
                if (argument.number < values) {
                    builder.add(new PerCpuCounter(), argument);
                }
            }
            for (int i = 0; i < histograms; i++) {
                builder.record(PerCpuHistogram.builder().build(), PerCpuEvent.Argument.FIRST);
            }
            PerCpuEvent event = builder.build();
            switch (values) {
                case 1 -> event.record(5);
                case 2 -> event.record(5, 6);
                default -> event.record(5, 6, 7);
            }
        }

        /** Compares each call with what was linked. */
        private record Looking(Events events) implements Events {
            @Override
            public Plan plan(EventShape shape, long[] words) {
                return events.plan(shape, words);
            }

            @Override
            public void update(Plan plan, long first, long second, long third) {
                look(plan, EventShape.FEWEST_VALUES);
                events.update(plan, first, second, third);
            }

            @Override
            public void update(Plan plan, long first, long second, long third, long fourth, long fifth) {
                look(plan, EventShape.MOST_VALUES);
                events.update(plan, first, second, third, fourth, fifth);
            }

            private static void look(Plan plan, int values) {
                passed = values;
                // The first argument is the table.
                linked = plan.shape().sequence().arguments() - 1;
            }
        }
    }
}
