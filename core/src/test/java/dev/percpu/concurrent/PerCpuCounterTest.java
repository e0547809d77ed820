package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cpu.CpuId;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Serialization;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.Workers;
import java.io.InvalidObjectException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntConsumer;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A counter beside LongAdder, and its resets while others update it. */
@VmTest("strict")
class PerCpuCounterTest {
    /** A method that both have, and an operand if it takes one. */
    record Step(String name, long operand) {
        @Nullable
        Object on(Number counter) throws ReflectiveOperationException {
            return name.equals("add")
                    ? counter.getClass().getMethod(name, long.class).invoke(counter, operand)
                    : counter.getClass().getMethod(name).invoke(counter);
        }
    }

    @Provide
    Arbitrary<List<Step>> steps() {
        Arbitrary<String> names = Arbitraries.of("add", "increment", "decrement", "reset", "sumThenReset", "sum");
        return names.flatMap(name -> Arbitraries.longs().map(operand -> new Step(name, operand)))
                .list()
                .ofMaxSize(60);
    }

    @Property(tries = 300)
    void doesWhatLongAdderDoes(@ForAll("steps") List<Step> steps) throws ReflectiveOperationException {
        PerCpuCounter counter = new PerCpuCounter();
        LongAdder adder = new LongAdder();
        for (Step step : steps) {
            assertThat(step.on(counter)).as("%s", step).isEqualTo(step.on(adder));
        }
        assertThat(counter.sum()).isEqualTo(adder.sum());
        assertSameNumber(counter, adder);
    }

    /** Says that two are the same number in each way to ask for it. */
    static void assertSameNumber(Number ours, Number theirs) {
        assertThat(ours.longValue()).isEqualTo(theirs.longValue());
        assertThat(ours.intValue()).isEqualTo(theirs.intValue());
        assertThat(ours.floatValue()).isEqualTo(theirs.floatValue());
        assertThat(ours.doubleValue()).isEqualTo(theirs.doubleValue());
        assertThat(ours).hasToString(theirs.toString());
    }

    @Test
    void sumsUpAllCpus() {
        PerCpuCounter counter = new PerCpuCounter();
        AtomicInteger cpus = new AtomicInteger();
        CpuId.onEachCpu(cpu -> {
            counter.add(10);
            cpus.incrementAndGet();
        });
        assertThat(counter.sum()).isEqualTo(10L * cpus.get());
        assertThat(counter.sumThenReset()).isEqualTo(10L * cpus.get());
        CpuId.onEachCpu(cpu -> counter.decrement());
        assertThat(counter.sum()).isEqualTo(-cpus.get());
    }

    /** Updates, resets and sums at once: the results together are all updates, and no sum shows half a reset. */
    @Test
    void aResetNeitherLosesNorDoubles() throws InterruptedException {
        int updaters = 8;
        int resetters = 3;
        int rounds = Effort.scaled(300_000);
        PerCpuCounter counter = new PerCpuCounter();
        AtomicLong taken = new AtomicLong();
        IntConsumer task = Workers.untilDone(
                updaters,
                _ -> {
                    for (int i = 0; i < rounds; i++) {
                        counter.increment();
                    }
                },
                () -> {
                    taken.addAndGet(counter.sumThenReset());
                    assertThat(counter.sum()).isNotNegative();
                });
        Workers.run("counter-", updaters + resetters, task);
        assertThat(taken.get() + counter.sum()).isEqualTo((long) updaters * rounds);
    }

    /**
     * Two resets that both took the same sum would leave a sum below zero, which the next reset would find: it has
     * mostly nothing to take. (What was taken and what is left would still add up.)
     */
    @Test
    void twoResetsNeverTakeTheSame() throws InterruptedException {
        PerCpuCounter counter = new PerCpuCounter();
        AtomicLong taken = new AtomicLong();
        int updates = Effort.scaled(100_000);
        Workers.run("resetter-", 4, number -> {
            for (int i = 0; i < updates; i++) {
                counter.increment();
                for (int reset = 0; reset < 8; reset++) {
                    long sum = counter.sumThenReset();
                    assertThat(sum).isNotNegative();
                    taken.addAndGet(sum);
                }
            }
        });
        assertThat(counter.sum()).isZero();
        assertThat(taken).hasValue(4L * updates);
    }

    /**
     * A sum of a counter that only grows is never negative, though another thread resets meanwhile. That is a virtual
     * thread, which has no place of its own, so it counts on its CPU. There are more of those that sum than CPUs, so
     * that some are preempted in the middle.
     */
    @Test
    void aSumHasAllThatAResetItSeesHasTaken() throws InterruptedException {
        int rounds = Effort.scaled(1_000_000);
        PerCpuCounter counter = new PerCpuCounter();
        AtomicInteger resetting = new AtomicInteger(1);
        LongAccumulator least = new LongAccumulator(Math::min, 0);
        Thread resets = Thread.startVirtualThread(() -> {
            try {
                for (int i = 0; i < rounds; i++) {
                    counter.increment();
                    counter.reset();
                }
            } finally {
                resetting.decrementAndGet();
            }
        });
        Workers.run("sums-", 2 * Runtime.getRuntime().availableProcessors(), _ -> {
            while (resetting.get() > 0) {
                least.accumulate(counter.sum());
            }
        });
        Workers.join(resets);
        assertThat(least.get()).isZero();
    }

    @Test
    void serializesAsItsSum() {
        PerCpuCounter counter = new PerCpuCounter();
        counter.add(42);
        PerCpuCounter copy = Serialization.copy(counter);
        assertThat(copy.sum()).isEqualTo(42);
        copy.increment();
        assertThat(counter.sum()).isEqualTo(42);
    }

    /** An object made from fields would share another counter's memory, or write the CPUs' headers. */
    @Test
    void isNotDeserializedFromFields() {
        assertThatThrownBy(() -> Serialization.fromFields(PerCpuCounter.class))
                .isInstanceOf(InvalidObjectException.class)
                .hasMessageContaining("PerCpuCounter is deserialized from its proxy only");
    }
}
