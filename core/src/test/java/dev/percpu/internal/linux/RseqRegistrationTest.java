package dev.percpu.internal.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("once")
class RseqRegistrationTest {
    private static final List<String> FIELDS =
            List.of("cpu_id_start", "cpu_id", "rseq_cs", "flags", "node_id", "mm_cid");

    @ParameterizedTest
    @CsvSource({"0, 0", "4, 1", "15, 2", "16, 3", "20, 4", "24, 5", "28, 6", "32, 6"})
    void theFeaturesAreTheFieldsThatTheSizeCovers(int size, int fields) {
        RseqRegistration registration = new RseqRegistration(-160, size);
        assertThat(registration.features()).isEqualTo(FIELDS.subList(0, fields));
        assertThat(registration.isUsable()).isEqualTo(size >= 16);
    }
}
