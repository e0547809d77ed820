package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cpu.CpuId;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Serialization;
import dev.percpu.testing.Workers;
import java.io.InvalidObjectException;
import java.util.List;
import java.util.concurrent.atomic.DoubleAdder;
import java.util.function.IntConsumer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** A counter beside DoubleAdder, and its resets while others update it. */
class PerCpuDoubleCounterTest {
    /** Quarters of integers, whose sums are exact. A 0 stands for a reset. */
    @Property(tries = 300)
    void doesWhatDoubleAdderDoes(@ForAll List<Integer> quarters) {
        PerCpuDoubleCounter counter = new PerCpuDoubleCounter();
        DoubleAdder adder = new DoubleAdder();
        for (int quarter : quarters) {
            if (quarter == 0) {
                assertThat(counter.sumThenReset()).isEqualTo(adder.sumThenReset());
            } else {
                counter.add(quarter / 4.0);
                adder.add(quarter / 4.0);
            }
            assertThat(counter.sum()).isEqualTo(adder.sum());
        }
        PerCpuCounterTest.assertSameNumber(counter, adder);
    }

    /** A reset by differences would leave numbers that swallow small additions. */
    @Test
    void isAsPreciseAfterAResetAsANewOne() {
        PerCpuDoubleCounter counter = new PerCpuDoubleCounter();
        CpuId.onEachCpu(cpu -> counter.add(1e17));
        assertThat(counter.sumThenReset()).isGreaterThanOrEqualTo(1e17);
        counter.add(0.1);
        assertThat(counter.sum()).isEqualTo(0.1);
        counter.add(Double.POSITIVE_INFINITY);
        counter.reset();
        counter.add(0.2);
        assertThat(counter.sumThenReset()).isEqualTo(0.2);
    }

    @Test
    void aResetNeitherLosesNorDoubles() throws InterruptedException {
        int updaters = 8;
        int rounds = Effort.scaled(200_000);
        PerCpuDoubleCounter counter = new PerCpuDoubleCounter();
        PerCpuDoubleCounter taken = new PerCpuDoubleCounter();
        IntConsumer task = Workers.untilDone(
                updaters,
                _ -> {
                    for (int i = 0; i < rounds; i++) {
                        counter.add(0.5);
                    }
                },
                () -> taken.add(counter.sumThenReset()));
        Workers.run("double-", updaters + 2, task);
        assertThat(taken.sum() + counter.sum()).isEqualTo(0.5 * updaters * rounds);
    }

    @Test
    void serializesAsItsSum() {
        PerCpuDoubleCounter counter = new PerCpuDoubleCounter();
        counter.add(1.5);
        PerCpuDoubleCounter copy = Serialization.copy(counter);
        copy.add(1);
        assertThat(copy.sum()).isEqualTo(2.5);
        assertThat(counter.sum()).isEqualTo(1.5);
        assertThatThrownBy(() -> Serialization.fromFields(PerCpuDoubleCounter.class))
                .isInstanceOf(InvalidObjectException.class);
    }
}
