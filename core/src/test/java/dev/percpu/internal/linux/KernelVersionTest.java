package dev.percpu.internal.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which kernels have to prove themselves. */
@Tag("once")
class KernelVersionTest {
    @ParameterizedTest
    @CsvSource({
        "6.12.48+deb13-amd64, false, false",
        "6.18.5, false, false",
        "6.19.0-rc1, true, true",
        "6.19.12, true, true",
        "7.0, true, true",
        "7.0.9-arch1, true, true",
        "7.0.10, false, true",
        "7.0.13, false, true",
        "7.0.14, false, false",
        "7.1.0-rc1, true, true",
        "7.1-rc2-amd64, true, true",
        "7.1.0-0.rc2.260503g1.fc44.x86_64, true, true",
        "7.1.0-070100rc2-generic, true, true",
        "7.1.0-arch1-1, false, false",
        "7.1.0, false, false",
        "7.1.1-rc1, false, false",
        "7.2.0-rc1, false, false",
        "7.3.1, false, false",
        "7.1.0-arch1-rc2, true, true",
        "6.12.y, false, false",
        "6.12.20261129120000, false, false",
        "unknown, true, true",
        "6-12, true, true",
        "6., true, true",
    })
    void suspects(String release, boolean onX86, boolean onArm) {
        KernelVersion version = KernelVersion.parse(release);
        assertThat(version.isSuspect(Architecture.X86_64)).isEqualTo(onX86);
        assertThat(version.isSuspect(Architecture.AARCH64)).isEqualTo(onArm);
    }

    @Test
    void readsTheNumbers() {
        assertThat(KernelVersion.parse("6.12.48+deb13-amd64")).isEqualTo(new KernelVersion(6, 12, 48));
        assertThat(KernelVersion.parse("7.0")).hasToString("7.0.0");
        assertThat(KernelVersion.parse("7.0.0-rc3"))
                .hasToString("7.0.0-rc")
                .isLessThan(KernelVersion.parse("7.0"))
                .isGreaterThan(KernelVersion.parse("6.19.12"));
        assertThat(KernelVersion.running()).isGreaterThan(new KernelVersion(0, 0, 0));
    }
}
