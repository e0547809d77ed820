package dev.percpu.jackson3;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The pool for Jackson 3 is that for Jackson 2, but for the packages that Jackson renamed. Both are in the source tree,
 * since sources made by the build would be missing in editors and in the published sources; so they must not differ.
 */
class SameSourceTest {
    @Test
    void differsInThePackagesOnly() throws IOException {
        assertThat(lines("jackson3")).isEqualTo(lines("jackson")).hasSizeGreaterThan(100);
    }

    private static List<String> lines(String module) throws IOException {
        Path file = Path.of("..", module, "src", "main", "java", "dev", "percpu", module, "PerCpuRecyclerPool.java");
        return Files.readAllLines(file).stream()
                .filter(line -> !line.startsWith("package ") && !line.startsWith("import "))
                .toList();
    }
}
