package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.backend.Interposed;
import dev.percpu.internal.code.EventShape;
import dev.percpu.internal.protocol.Events;
import dev.percpu.testing.Jvm;
import java.lang.ref.WeakReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What an event refers to must stay until its call returns, even if nobody has the event any more, and must not stay
 * longer. A JVM of its own collects garbage just before the call, when compiled code uses the event for the last time.
 *
 * <p>Seen to fail with {@code record} ending with the call, and without the fence. (As long as something behind the
 * call reads a field of the event, that keeps the event too.)
 */
@Tag("native")
class EventMemoryTest {
    @Test
    void tableAndVariablesStayUntilTheCallReturns() {
        String output =
                Jvm.asHere().option("-Dpercpu.places=0").option("-Xbatch").outputOf(Probe.class);
        assertThat(output.strip())
                .isEqualTo("during the call: table true, variables true; after it: table false, variables false");
    }

    /** Runs in a JVM of its own. */
    static final class Probe {
        /** So that the JIT compiler has compiled everything between {@code useOnce} and the look. */
        private static final int ROUNDS = 20_000;

        private static WeakReference<Object> table = new WeakReference<>(null);
        private static WeakReference<Object> variable = new WeakReference<>(null);
        private static String during = "";
        private static boolean looking;
        private static @Nullable PerCpuEvent next;

        private Probe() {}

        public static void main(String[] arguments) {
            Interposed.replace(Events.class, Looking::new);
            PerCpuEvent other = event();
            for (int round = 0; round < ROUNDS; round++) {
                next = other;
                useOnce();
            }
            next = event();
            looking = true;
            useOnce();
            String after = look();
            System.out.println("during the call: " + during + "; after it: " + after);
        }

        private static PerCpuEvent event() {
            PerCpuCounter counter = new PerCpuCounter();
            PerCpuEvent event = PerCpuEvent.builder().increment(counter).build();
            table = new WeakReference<>(((BuiltEvent) event).plan().table());
            variable = new WeakReference<>(counter);
            return event;
        }

        /** From the call on, nobody else has a reference to the event. */
        private static void useOnce() {
            PerCpuEvent event = next;
            next = null;
            if (event != null) {
                event.record();
            }
        }

        private static String look() {
            for (int i = 0; i < 3; i++) {
                System.gc();
            }
            return "table " + (table.get() != null) + ", variables " + (variable.get() != null);
        }

        /** Looks in place of the call, with nothing that would keep the event. */
        private record Looking(Events events) implements Events {
            @Override
            public Plan plan(EventShape shape, long[] words) {
                return events.plan(shape, words);
            }

            @Override
            public void update(Plan plan, long first, long second, long third) {
                if (looking) {
                    during = look();
                }
            }

            @Override
            public void update(Plan plan, long first, long second, long third, long fourth, long fifth) {
                throw new AssertionError("an event with one counter has few values");
            }
        }
    }
}
