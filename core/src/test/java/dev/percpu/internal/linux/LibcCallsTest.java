package dev.percpu.internal.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("native")
@Tag("once")
class LibcCallsTest {
    private static final int EINVAL = 22;

    /** Its result is a number of 32 bits: what is in the rest of the register is not the sign. */
    @Test
    void aFunctionThatReturnsAnIntFailsWithItsReason() {
        MemorySegment getrlimit = LibcCalls.symbol("getrlimit");
        long noResource = 999;
        assertThat(Linux.call(getrlimit, noResource, 0, 0, 0)).isEqualTo(EINVAL);
        assertThat(LibcCalls.tryCall(getrlimit, noResource, 0, 0, 0, 0, 0)).isFalse();
    }

    /** Such as those that callers handle: the stack is at its end, or the heap is full. */
    @Test
    void whatACallThrowsIsThrownOn() {
        Error error = new StackOverflowError("for the test");
        assertThatThrownBy(() -> LibcCalls.rethrow(error)).isSameAs(error);
        RuntimeException exception = new IllegalStateException("for the test");
        assertThatThrownBy(() -> LibcCalls.rethrow(exception)).isSameAs(exception);
    }
}
