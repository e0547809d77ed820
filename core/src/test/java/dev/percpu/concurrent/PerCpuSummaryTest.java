package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.PerCpuRuntime;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.listing.Value;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Workers;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntConsumer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** A summary beside LongSummaryStatistics, and its resets while others record. */
class PerCpuSummaryTest {
    private static final PerCpuSummary.Result NONE = new PerCpuSummary.Result(0, 0, Long.MAX_VALUE, Long.MIN_VALUE);

    /** A 0 stands for a reset. */
    @Property(tries = 300)
    void doesWhatLongSummaryStatisticsDoes(@ForAll List<Long> values) {
        PerCpuSummary ours = new PerCpuSummary();
        LongSummaryStatistics theirs = new LongSummaryStatistics();
        verify(ours.summary(), theirs);
        for (long value : values) {
            if (value == 0) {
                verify(ours.summaryThenReset(), theirs);
                theirs = new LongSummaryStatistics();
            }
            ours.accept(value);
            theirs.accept(value);
            verify(ours.summary(), theirs);
        }
        ours.reset();
        assertThat(ours.summary()).isEqualTo(NONE);
    }

    private static void verify(PerCpuSummary.Result ours, LongSummaryStatistics theirs) {
        assertThat(ours)
                .isEqualTo(
                        new PerCpuSummary.Result(theirs.getCount(), theirs.getSum(), theirs.getMin(), theirs.getMax()));
        assertThat(ours.mean()).isEqualTo(theirs.getAverage());
    }

    @Test
    void summarizesAllCpus() {
        PerCpuSummary summary = new PerCpuSummary("by cpu");
        LongSummaryStatistics theirs = new LongSummaryStatistics();
        CpuMask.usable().forEach(cpu -> theirs.accept(cpu.id()));
        CpuId.onEachCpu(cpu -> {
            summary.accept(-7);
            summary.accept(cpu.id());
        });
        long cpus = CpuMask.usable().weight();
        long ids = theirs.getSum();
        long last = theirs.getMax();
        PerCpuSummary.Result expected = new PerCpuSummary.Result(2 * cpus, ids - 7 * cpus, -7, last);
        assertThat(summary.summary()).isEqualTo(expected);
        assertThat(summary).hasToString("by cpu: " + expected);
        assertThat(PerCpuRuntime.variables())
                .filteredOn(variable -> variable.name().equals("by cpu"))
                .singleElement()
                .satisfies(variable -> {
                    assertThat(variable.type()).isEqualTo("PerCpuSummary");
                    assertThat(variable.values())
                            .extracting(value -> value.name() + " " + value.total())
                            .containsExactly("count " + 2 * cpus, "sum " + (ids - 7 * cpus), "min -7", "max " + last);
                    assertThat(variable.values())
                            .as("sums of updates")
                            .filteredOn(Value::cumulative)
                            .extracting(Value::name)
                            .containsExactly("count", "sum");
                });
        assertThat(summary.summaryThenReset()).isEqualTo(expected);
        assertThat(summary.summary()).isEqualTo(NONE);
    }

    /** Otherwise both could read the same sums, and subtract them. */
    @Test
    void oneThreadResetsAtATime() throws InterruptedException {
        PerCpuSummary summary = new PerCpuSummary();
        Thread other = new Thread(summary::reset);
        synchronized (summary) {
            other.start();
            while (other.getState() == Thread.State.NEW || other.getState() == Thread.State.RUNNABLE) {
                Thread.onSpinWait();
            }
            assertThat(other.getState()).isEqualTo(Thread.State.BLOCKED);
        }
        other.join();
    }

    /** Each value is in one result, and so are the least and the greatest of all. */
    @Test
    void aResetNeitherLosesNorDoubles() throws InterruptedException {
        int recorders = 6;
        int resetters = 2;
        int rounds = Effort.scaled(200_000);
        PerCpuSummary summary = new PerCpuSummary();
        LongAdder count = new LongAdder();
        LongAdder sum = new LongAdder();
        LongAdder expectedSum = new LongAdder();
        LongAccumulator least = new LongAccumulator(Math::min, Long.MAX_VALUE);
        LongAccumulator greatest = new LongAccumulator(Math::max, Long.MIN_VALUE);
        IntConsumer task = Workers.untilDone(
                recorders,
                number -> {
                    long mine = 0;
                    for (int i = 0; i < rounds; i++) {
                        // Up and down, so that most values change nothing, and the extremes are recorded once.
                        long value = (long) (i % 2 == 0 ? i : -i) * recorders + number;
                        summary.accept(value);
                        mine += value;
                    }
                    expectedSum.add(mine);
                },
                () -> take(summary.summaryThenReset(), count, sum, least, greatest));
        Workers.run("summary-", recorders + resetters, task);
        take(summary.summaryThenReset(), count, sum, least, greatest);
        assertThat(count.sum()).isEqualTo((long) recorders * rounds);
        assertThat(sum.sum()).isEqualTo(expectedSum.sum());
        int lastEven = (rounds - 1) / 2 * 2;
        int lastOdd = rounds < 2 ? 0 : (rounds - 2) / 2 * 2 + 1;
        assertThat(greatest.get()).isEqualTo((long) lastEven * recorders + recorders - 1);
        assertThat(least.get()).isEqualTo(-(long) lastOdd * recorders);
        assertThat(summary.summary()).isEqualTo(NONE);
    }

    private static void take(
            PerCpuSummary.Result result,
            LongAdder count,
            LongAdder sum,
            LongAccumulator least,
            LongAccumulator greatest) {
        count.add(result.count());
        sum.add(result.sum());
        least.accumulate(result.min());
        greatest.accumulate(result.max());
    }
}
