package dev.percpu.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("once")
class ProcessorTest {
    @ParameterizedTest
    @CsvSource({
        "AuthenticAMD, 26, 2, AMD Zen 5",
        "AuthenticAMD, 25, 17, AMD Zen 4",
        "AuthenticAMD, 25, 1, AMD Zen 3",
        "GenuineIntel, 6, 143, Intel Sapphire Rapids",
        "GenuineIntel, 6, 1, What it says",
        "SomeoneElse, 26, 2, What it says"
    })
    void theNameIsThatOfTheDesign(String vendor, int family, int model, String name) {
        assertThat(Processor.name(List.of(
                        "processor\t: 0",
                        "vendor_id\t: " + vendor,
                        "cpu family\t: " + family,
                        "model\t\t: " + model,
                        "model name\t: What it says")))
                .isEqualTo(name);
    }
}
