package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.internal.linux.Platform;
import dev.percpu.memory.AreaFullException;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/**
 * Layouts that a variable's instances cannot have. Where native access is denied, the memory of a {@link DynamicPerCpu}
 * does not come from the area, and what the area cannot have is refused all the same.
 */
class RefusedLayoutsTest {
    private static final List<BiConsumer<String, MemoryLayout>> WAYS = List.of(
            StaticPerCpu::define,
            DynamicPerCpu::createZero,
            (name, layout) -> DynamicPerCpu.createZero(name, layout, memory -> memory));

    @Test
    void noBytes() {
        for (BiConsumer<String, MemoryLayout> way : WAYS) {
            assertThatThrownBy(() -> way.accept("empty", MemoryLayout.structLayout()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("empty: the size must be at least 1 byte, not 0");
        }
    }

    @Test
    void anAlignmentAboveAPage() {
        for (BiConsumer<String, MemoryLayout> way : WAYS) {
            assertThatThrownBy(() -> way.accept("aligned", ValueLayout.JAVA_LONG.withByteAlignment(8192)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("aligned: the alignment must be at most 4096 bytes, not 8192");
        }
    }

    @Test
    void moreThanAnyMemory() {
        MemoryLayout layout = MemoryLayout.sequenceLayout(Long.MAX_VALUE, ValueLayout.JAVA_BYTE);
        assertThatThrownBy(() -> StaticPerCpu.define("huge", layout)).isInstanceOf(AreaFullException.class);
        assertThatThrownBy(() -> DynamicPerCpu.createZero("huge", layout))
                .isInstanceOf(Platform.hasSystemCalls() ? AreaFullException.class : OutOfMemoryError.class);
        try (DynamicPerCpu<MemorySegment> next = DynamicPerCpu.createZero(ValueLayout.JAVA_BYTE)) {
            next.run(memory -> assertThat(memory.byteSize()).isOne());
        }
    }
}
