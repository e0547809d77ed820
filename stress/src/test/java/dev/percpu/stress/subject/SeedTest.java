package dev.percpu.stress.subject;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The command that repeats a run repeats its choices, since all of them come from the seed. */
class SeedTest {
    private static final Path SUBJECTS = Path.of("src", "main", "java", "dev", "percpu", "stress", "subject");

    /** What makes choices without a seed. */
    private static final Pattern UNSEEDED = Pattern.compile(
            "ThreadLocalRandom|SecureRandom|Math\\.random|RandomGenerator\\.(?:getDefault|of)\\(|Random\\(\\)|shuffle\\(\\w+\\)");

    @Test
    void noStructureDrawsFromAnythingElse() throws IOException {
        try (Stream<Path> files = Files.list(SUBJECTS)) {
            List<Path> sources = files.toList();
            assertThat(sources).hasSizeGreaterThan(10);
            for (Path source : sources) {
                assertThat(Files.readAllLines(source))
                        .as(source.toString())
                        .noneMatch(line -> UNSEEDED.matcher(line).find());
            }
        }
    }
}
