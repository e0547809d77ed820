package dev.percpu.internal.extern;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.Area;
import dev.percpu.testing.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The wait for another copy of the library that has a library of C code. */
@Tag("native")
class OtherCopyTest {
    private static final long BYTES = 128;

    /** Where a {@code struct percpu_library} says whose area it is in. */
    private static final long LENDER = 64;

    @Test
    void anInterruptIsLeftToTheCaller() {
        MemorySegment library = Arena.global().allocate(BYTES, Long.BYTES);
        library.set(JAVA_LONG, LENDER, Area.BASE + 1);
        Thread waiter = Thread.currentThread();
        Thread other = Thread.ofPlatform().start(() -> {
            Workers.awaitTimedWait(waiter);
            library.set(JAVA_LONG, LENDER, 0);
        });
        waiter.interrupt();
        boolean _ = OtherCopy.awaitEnd(library);
        assertThat(Thread.interrupted()).isTrue();
        Workers.join(other);
    }
}
