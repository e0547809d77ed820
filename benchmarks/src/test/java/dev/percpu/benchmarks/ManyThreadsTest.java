package dev.percpu.benchmarks;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.benchmarks.measure.Role;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ManyThreadsTest {
    private static final int TIMES = 3_000;

    @ParameterizedTest
    @EnumSource
    void eachContenderLeavesBehindWhatItsCheckExpects(ManyThreads.Contender contender) throws InterruptedException {
        ManyThreads.Subject subject = contender.make();

        subject.repeat().repeat(TIMES);

        subject.check().accept(TIMES);
    }

    @Test
    void aThreadThatFailsEndsTheMeasurement() {
        CpuTimePerOperation.Operation failing = _ -> {
            throw new IllegalStateException("not live");
        };

        assertThatThrownBy(() -> CpuTimePerOperation.curve(Role.Kind.OURS, "failing", failing, _ -> {}))
                .isInstanceOf(IllegalStateException.class)
                .hasRootCauseMessage("not live");
    }

    @ParameterizedTest
    @EnumSource(names = {"PER_CPU_COUNTER", "PER_CPU_HISTOGRAM", "RECORDER"})
    void aLostUpdateIsNoticed(ManyThreads.Contender contender) throws InterruptedException {
        ManyThreads.Subject subject = contender.make();

        subject.repeat().repeat(TIMES - 1);

        assertThatThrownBy(() -> subject.check().accept(TIMES)).isInstanceOf(IllegalStateException.class);
    }
}
