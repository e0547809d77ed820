package dev.percpu.internal.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.testing.Jvm;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Field;
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

    /** Linking the call that tells why would load classes, and so run a user's agent under the allocator's lock. */
    @Test
    void whatIsCalledUnderTheAllocatorsLockDoesNotAskWhyItIsRefused() {
        assertThat(Jvm.asHere().outputOf(Refused.class)).contains("all refused, linked: null");
    }

    static final class Refused {
        private Refused() {}

        public static void main(String[] arguments) throws ReflectiveOperationException {
            MemorySegment noPage = MemorySegment.ofAddress(1).reinterpret(1);
            if (!Linux.close(noPage) && !Linux.discard(noPage) && !Linux.tryOpen(noPage)) {
                System.out.print("all refused, ");
            }
            Field linked = LibcCalls.class.getDeclaredField("callWithErrno");
            linked.setAccessible(true);
            System.out.println("linked: " + linked.get(null));
        }
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
