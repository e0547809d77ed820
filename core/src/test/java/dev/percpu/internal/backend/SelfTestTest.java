package dev.percpu.internal.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.code.Instrumentation;
import dev.percpu.internal.code.Op;
import dev.percpu.internal.linux.RseqRegistration;
import dev.percpu.internal.protocol.CurrentCpu;
import dev.percpu.internal.protocol.Numbers;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Effort;
import dev.percpu.testing.VmTest;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The deep self-test, under this kernel and under kernels that lose what this one does not. */
@Tag("rseq")
@VmTest("machine")
class SelfTestTest {
    /** Time for more restarts than are proof. */
    private static final long WAIT_MILLIS = 300;

    /** An addition takes an emulated machine so long that these are still preempted hundreds of times. */
    private static final int ROUNDS = Math.max(3_000, Effort.scaled(SelfTest.DEEP_ROUNDS));

    private static final int ADDITIONS = SelfTest.DEEP_THREADS * ROUNDS;

    @Test
    void thisKernelLosesNothing() {
        assertThat(SelfTest.deep(SelfTestTest::additions, ROUNDS)).isEmpty();
        assertThat(SelfTest.seeAnAbort(SelfTestTest::additions)).isEmpty();
    }

    @Test
    void aKernelThatLosesEveryAbortIsFound() {
        assertThat(SelfTest.deep(instrumentation -> additions(instrumentation.unarmed()), ROUNDS))
                .containsPattern("came to \\d+, not " + ADDITIONS + "|the kernel aborted no section in " + ADDITIONS
                        + " delayed ones");
        assertThat(SelfTest.seeAnAbort(instrumentation -> additions(instrumentation.unarmed())))
                .contains("the kernel aborted no section");
    }

    /** On a busy machine, or in a process that was stopped, although the kernel loses no aborts. */
    @Test
    void aThreadThatWaitsLongForACpuIsNoProof() {
        assertThat(SelfTest.seeAnAbort(instrumentation -> lateBy(WAIT_MILLIS, additions(instrumentation))))
                .isEmpty();
    }

    /** Then aborts are counted, and only the total tells. */
    @Test
    void aKernelThatLosesEveryOtherAbortIsFound() {
        assertThat(SelfTest.deep(
                        instrumentation ->
                                alternating(additions(instrumentation), additions(instrumentation.unarmed())),
                        ROUNDS))
                .containsPattern("came to \\d+, not " + ADDITIONS);
    }

    /** Without preemption there is nothing to see: that is no proof. */
    @Test
    void aTestWithoutAnyAbortProvesNothing() {
        var atomic = new Numbers.Atomic(CurrentCpu.CURRENT);
        assertThat(SelfTest.deep(
                        instrumentation -> position -> atomic.update(Op.ADD, NumericWidth.LONG, position, 1, 0),
                        ROUNDS))
                .isEqualTo("the kernel aborted no section in " + ADDITIONS + " delayed ones");
    }

    /** What ends a thread, such as a full heap, is no fault of the kernel's. */
    @Test
    void aThreadThatFailsIsNoProof() {
        Error failure = new OutOfMemoryError("in a thread of the test");
        Function<Instrumentation, LongConsumer> failing = instrumentation -> position -> {
            throw failure;
        };
        assertThatThrownBy(() -> SelfTest.seeAnAbort(failing))
                .isInstanceOf(RseqUnavailableException.class)
                .hasMessageContaining("in a thread of the test")
                .cause()
                .isSameAs(failure);
        assertThatThrownBy(() -> SelfTest.deep(failing, ROUNDS))
                .isInstanceOf(RseqUnavailableException.class)
                .hasMessageContaining("in a thread of the test")
                .cause()
                .isSameAs(failure);
    }

    @Test
    void aTestThatCannotBeginTakesNoMemory() {
        var refused = new RseqUnavailableException("no code", null);
        Function<Instrumentation, LongConsumer> refusing = instrumentation -> {
            throw refused;
        };
        long before = Area.usedBytesPerCpu();
        // So often that memory of other tests, which a collection may free meanwhile, does not hide it.
        for (int i = 0; i < Effort.scaled(1_000); i++) {
            assertThatThrownBy(() -> SelfTest.seeAnAbort(refusing)).isSameAs(refused);
            assertThatThrownBy(() -> SelfTest.deep(refusing, ROUNDS)).isSameAs(refused);
        }
        assertThat(Area.usedBytesPerCpu()).isLessThanOrEqualTo(before);
    }

    private static LongConsumer additions(Instrumentation instrumentation) {
        return SelfTest.additions(Sequences.emit(RseqRegistration.read(), instrumentation, SelfTest.SEQUENCES));
    }

    /** The first one waits. */
    private static LongConsumer lateBy(long millis, LongConsumer additions) {
        AtomicBoolean waited = new AtomicBoolean();
        return position -> {
            if (waited.compareAndSet(false, true)) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
            }
            additions.accept(position);
        };
    }

    /** In turns one and the other. */
    private static LongConsumer alternating(LongConsumer one, LongConsumer other) {
        ThreadLocal<int[]> calls = ThreadLocal.withInitial(() -> new int[1]);
        return position -> (calls.get()[0]++ % 2 == 0 ? one : other).accept(position);
    }
}
