package dev.percpu.internal.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.Machine;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What the library knows and what its tests know are the same architectures. */
class ArchitectureTest {
    @Test
    void theTestsKnowEachArchitectureThatTheLibraryKnows() {
        assertThat(Arrays.stream(Architecture.values()).filter(architecture -> architecture != Architecture.OTHER))
                .extracting(Enum::name)
                .containsExactlyInAnyOrder(
                        Arrays.stream(Machine.values()).map(Enum::name).toArray(String[]::new));
    }

    @Test
    void bothTakeThisMachineForTheSame() {
        assertThat(Machine.current().name()).isEqualTo(Architecture.current().name());
    }
}
