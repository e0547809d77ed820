package dev.percpu.internal.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.code.Instrumentation;
import dev.percpu.internal.linux.RseqRegistration;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The deep self-test, under this kernel and under kernels that lose what this one does not. */
@Tag("rseq")
class SelfTestTest {
    @Test
    void thisKernelLosesNothing() {
        assertThat(SelfTest.deep(SelfTestTest::sequences)).isEmpty();
    }

    @Test
    void aKernelThatLosesEveryAbortIsFound() {
        assertThat(SelfTest.deep(instrumentation -> sequences(instrumentation.unarmed())))
                .containsPattern("came to \\d+, not 120000|the kernel aborted no section in 120000 delayed ones");
    }

    /** Then aborts are counted, and only the total tells. */
    @Test
    void aKernelThatLosesEveryOtherAbortIsFound() {
        assertThat(SelfTest.deep(instrumentation ->
                        alternating(sequences(instrumentation), sequences(instrumentation.unarmed()))))
                .containsPattern("came to \\d+, not 120000");
    }

    /** Without preemption there is nothing to see: that is no proof. */
    @Test
    void aTestWithoutAnyAbortProvesNothing() {
        assertThat(SelfTest.deep(instrumentation -> AtomicBackend.create(true)))
                .isEqualTo("the kernel aborted no section in 120000 delayed ones");
    }

    private static Backend sequences(Instrumentation instrumentation) {
        return RseqBackend.create(RseqRegistration.read(), instrumentation);
    }

    /** In turns one and the other. */
    private static Backend alternating(Backend one, Backend other) {
        ThreadLocal<int[]> calls = ThreadLocal.withInitial(() -> new int[1]);
        return (Backend) Proxy.newProxyInstance(
                Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, (proxy, method, arguments) -> {
                    try {
                        return method.invoke(calls.get()[0]++ % 2 == 0 ? one : other, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
