package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the formatter does not see to. */
@Tag("tools")
class SourceRulesTest {
    private static final int LONGEST_LINE = 120;
    private static final int LONGEST_FILE = 350;

    /** What a longer file of the core must say at its head, with the reason. */
    private static final String REASON = "This file is longer than others";

    @Test
    void noCommentIsWiderThanTheCode() throws IOException {
        List<String> tooLong = new ArrayList<>();
        for (Path file : sources(Path.of(".."))) {
            List<String> lines = Files.readAllLines(file);
            for (int i = 0; i < lines.size(); i++) {
                // The formatter breaks code, and leaves strings as they are.
                if (lines.get(i).length() > LONGEST_LINE
                        && isComment(lines.get(i).strip())) {
                    tooLong.add(file + ":" + (i + 1));
                }
            }
        }
        assertThat(tooLong).isEmpty();
    }

    private static boolean isComment(String line) {
        return line.startsWith("*") || line.startsWith("/*") || line.contains("// ");
    }

    @Test
    void noFileOfTheCoreIsLongWithoutAReason() throws IOException {
        List<String> tooLong = new ArrayList<>();
        for (Path file : sources(Path.of("src"))) {
            List<String> lines = Files.readAllLines(file);
            if (lines.size() > LONGEST_FILE && lines.stream().noneMatch(line -> line.contains(REASON))) {
                tooLong.add(file + ": " + lines.size() + " lines");
            }
        }
        assertThat(tooLong)
                .as("longer than %d lines, and no \"%s\"", LONGEST_FILE, REASON)
                .isEmpty();
    }

    private static List<Path> sources(Path root) throws IOException {
        List<Path> found = new ArrayList<>();
        try (Stream<Path> children = Files.list(root)) {
            children.filter(child -> !child.endsWith("target") && !child.endsWith(".git"))
                    .forEach(child -> {
                        if (Files.isDirectory(child)) {
                            try {
                                found.addAll(sources(child));
                            } catch (IOException e) {
                                throw new UncheckedIOException(e);
                            }
                        } else if (child.toString().endsWith(".java")) {
                            found.add(child);
                        }
                    });
        }
        return found;
    }
}
