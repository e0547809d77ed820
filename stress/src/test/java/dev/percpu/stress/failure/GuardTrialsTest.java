package dev.percpu.stress.failure;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What the trials of guards do beside the operation, while a step of that fails. */
class GuardTrialsTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static long allocatedByClosing() {
        GuardTrials.AllGuards guards = GuardTrials.AllGuards.acquire();
        long before = THREADS.getCurrentThreadAllocatedBytes();
        guards.close();
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }

    /** Another thread closes them when the heap is full. */
    @Test
    void guardsAreClosedWithoutAnAllocation() {
        // The first calls also link what is called.
        assertThat(LongStream.generate(GuardTrialsTest::allocatedByClosing)
                        .limit(100)
                        .min())
                .hasValue(0);
    }
}
