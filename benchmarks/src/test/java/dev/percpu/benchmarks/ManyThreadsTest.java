package dev.percpu.benchmarks;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

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

    @ParameterizedTest
    @EnumSource(names = {"PER_CPU_COUNTER", "PER_CPU_HISTOGRAM", "RECORDER"})
    void aLostUpdateIsNoticed(ManyThreads.Contender contender) throws InterruptedException {
        ManyThreads.Subject subject = contender.make();

        subject.repeat().repeat(TIMES - 1);

        assertThatThrownBy(() -> subject.check().accept(TIMES)).isInstanceOf(IllegalStateException.class);
    }
}
