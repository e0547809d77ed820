package dev.percpu.stress.failure;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.percpu.testing.Jvm;
import java.lang.management.ManagementFactory;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What the trials of guards do beside the operation, while a step of that fails. */
class GuardTrialsTest {
    /**
     * Another thread closes them when the heap is full. They are closed in a JVM of its own: a stress run in the same
     * one leaves its delays in front of the protocols, and such a call allocates.
     */
    @Test
    void guardsAreClosedWithoutAnAllocation() {
        Jvm.Result result =
                new Jvm().with(System.getProperty("java.class.path")).run(Closing.class);
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.number("allocated")).isZero();
    }

    static final class Closing {
        private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

        private Closing() {}

        public static void main(String[] args) {
            // The first calls also link what is called.
            long least =
                    LongStream.generate(Closing::allocated).limit(100).min().orElseThrow();
            Jvm.print("allocated", least);
        }

        private static long allocated() {
            GuardTrials.AllGuards guards = GuardTrials.AllGuards.acquire();
            long before = THREADS.getCurrentThreadAllocatedBytes();
            guards.close();
            return THREADS.getCurrentThreadAllocatedBytes() - before;
        }
    }
}
