package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.VmTest;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Variables that are made, used and closed without end, in a small area, where the collector may not be asked for. */
@Tag("native")
@VmTest("strict")
class ReuseTest {
    /** Makes, uses and closes. Together they take the area many times. */
    static final class Probe {
        private Probe() {}

        public static void main(String[] arguments) {
            int rounds = Effort.scaled(Integer.parseInt(arguments[0]));
            long wrong = 0;
            for (int i = 0; i < rounds; i++) {
                try (var number = PerCpuNumeric.create(NumericWidth.LONG, 0)) {
                    number.increment();
                    wrong += number.sum() - 1;
                }
                try (var number = DynamicPerCpu.createNumeric(NumericWidth.LONG, 0)) {
                    number.run(cell -> cell.add(1));
                    PerCpuNumeric.of(number).increment();
                    wrong += PerCpuNumeric.of(number).sum() - 2;
                }
                try (var memory = DynamicPerCpu.createZero(ValueLayout.JAVA_LONG)) {
                    wrong += memory.<Long>with(segment -> segment.get(ValueLayout.JAVA_LONG, 0));
                    memory.run(segment -> segment.set(ValueLayout.JAVA_LONG, 0, -1));
                }
                PerCpuCounter counter = new PerCpuCounter();
                counter.increment();
                wrong += counter.sum() - 1;
                if (i % 10 == 0) {
                    PerCpuHistogram histogram = PerCpuHistogram.builder().build();
                    histogram.record(i);
                    wrong += histogram.snapshot().count() - 1;
                    try (PerCpuPool<Object> pool =
                            PerCpuPool.builder(100, Object::new).build()) {
                        pool.tryAcquire().close();
                    }
                }
            }
            System.out.println("wrong: " + wrong);
        }
    }

    @Test
    void closedVariablesComeBackWithoutAnExplicitCollection() {
        assertThat(Jvm.asHere()
                        .option("-Dpercpu.area.stride=64k")
                        .option("-XX:+DisableExplicitGC")
                        .outputOf(Probe.class, "20000"))
                .contains("wrong: 0\n");
    }

    /** The default collector uses most of a heap of a fixed size before it runs. */
    @Test
    void noHeapIsTooLargeForThat() {
        assertThat(Jvm.asHere()
                        .collector("G1")
                        .option("-Xms256m")
                        .option("-Dpercpu.area.stride=64k")
                        .option("-XX:+DisableExplicitGC")
                        .outputOf(Probe.class, "2000"))
                .contains("wrong: 0\n");
    }
}
