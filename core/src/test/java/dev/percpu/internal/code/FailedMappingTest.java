package dev.percpu.internal.code;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.internal.linux.Architecture;
import dev.percpu.testing.MemoryLimit;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A mapping whose code could not be made. Whoever wanted it tries again with the next event, as often as it fails. */
@Tag("rseq")
class FailedMappingTest {
    private static final int BYTES = 64 << 20;
    private static final int TIMES = 100;

    @Test
    void itIsGivenBack() {
        assertThat(Assembler.exists(Architecture.current())).isTrue();
        Sequence failing = new Sequence("failing", 0, 0, 0, _ -> {
            throw new OutOfMemoryError("for the test");
        });
        // With the area, so that only mappings of code come to be below.
        SequenceLayout layout = SequencesUnderTest.layout();
        long before = MemoryLimit.ADDRESS_SPACE.size();
        for (int i = 0; i < TIMES; i++) {
            assertThatThrownBy(() -> CodeMapping.emit(BYTES, layout, Instrumentation.NONE, List.of(failing)))
                    .isInstanceOf(OutOfMemoryError.class)
                    .hasMessage("for the test");
        }
        assertThat(MemoryLimit.ADDRESS_SPACE.size() - before).isLessThan((long) TIMES / 2 * BYTES);
    }
}
