package dev.percpu.internal.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.SourceFiles;
import dev.percpu.testing.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What has to know an architecture knows each one that the library knows. */
@Tag("once")
class ArchitectureTest {
    private static final Path ROOT = SourceFiles.ROOT;
    private static final Pattern SOURCE = Pattern.compile(".*\\.(java|c|h|sh|txt)|[a-z]+");

    private static final Pattern COMMENT = Pattern.compile("\\s*(//|/?\\*).*");
    private static final Pattern NUMBER_SIGN_COMMENT = Pattern.compile("\\s*#.*");

    /** The rows of CONTRIBUTING's table: files that know each architecture, one file for each, files that name some. */
    private static final Pattern EVERY = Pattern.compile("\\| `([^`*]+)` \\| every \\|.*");

    private static final Pattern OWN = Pattern.compile("\\| `([^`*]+)\\*([^`*]+)` \\| own \\|.*");
    private static final Pattern SOME = Pattern.compile("\\| `([^`*]+)` \\| some \\|.*");

    /** Those of the pages and the comment that tell users which architectures there are. */
    private static final Pattern TOLD = Pattern.compile("\\| `([^`*]+)` \\| told \\|.*");

    private static final Path TABLE = ROOT.resolve("CONTRIBUTING.md");
    private static final Path HEADER = ROOT.resolve("native/include/percpu.h");

    /** What others call them. */
    private static final Map<Architecture, String> OTHER_NAMES =
            Map.of(Architecture.X86_64, "amd64", Architecture.AARCH64, "arm64");

    private static Stream<Architecture> known() {
        return Arrays.stream(Architecture.values()).filter(architecture -> architecture != Architecture.OTHER);
    }

    /** Finds an architecture's name, however it is written: X86_64, x86-64 or amd64. */
    private static Pattern name(Architecture architecture) {
        return Pattern.compile(
                "(?:" + architecture.name().replace("_", "[_-]?") + "|" + OTHER_NAMES.get(architecture) + ")",
                Pattern.CASE_INSENSITIVE);
    }

    @Test
    void theTestsKnowEachArchitectureThatTheLibraryKnows() {
        assertThat(known())
                .extracting(Enum::name)
                .containsExactlyInAnyOrder(
                        Arrays.stream(Machine.values()).map(Enum::name).toArray(String[]::new));
    }

    @Test
    void bothTakeThisMachineForTheSame() {
        assertThat(Machine.current().name()).isEqualTo(Architecture.current().name());
    }

    @Test
    @Tag("tools")
    void eachFileInContributingsTableKnowsEachArchitecture() throws IOException {
        List<Architecture> architectures = known().toList();
        List<String> files = listed(EVERY);
        assertThat(files).isNotEmpty();
        for (String file : files) {
            assertThat(architectures)
                    .as("those in %s", file)
                    .allSatisfy(
                            architecture -> assertThat(code(ROOT.resolve(file))).containsPattern(name(architecture)));
        }
        for (String file : listed(OWN)) {
            assertThat(architectures)
                    .allSatisfy(architecture -> assertThat(file(file, architecture))
                            .as("the file of %s", architecture)
                            .isRegularFile());
        }
    }

    @Test
    @Tag("tools")
    void contributingsTableHasEachFileThatNamesAnArchitecture() throws IOException {
        SortedSet<String> listed = new TreeSet<>(listed(EVERY));
        listed.addAll(listed(SOME));
        for (String file : listed(OWN)) {
            known().forEach(architecture ->
                    listed.add(ROOT.relativize(file(file, architecture)).toString()));
        }
        assertThat(listed).containsExactlyElementsOf(filesWithNames());
    }

    @Test
    @Tag("tools")
    void contributingsTableHasEachPageThatTellsOfAllArchitectures() throws IOException {
        SortedSet<String> found = new TreeSet<>();
        List<Path> pages = new ArrayList<>(SourceFiles.pages());
        pages.remove(TABLE);
        pages.add(HEADER);
        for (Path page : pages) {
            String text = Files.readString(page);
            if (known().allMatch(
                            architecture -> name(architecture).matcher(text).find())) {
                found.add(ROOT.relativize(page).toString());
            }
        }
        assertThat(new TreeSet<>(listed(TOLD))).containsExactlyElementsOf(found);
    }

    /** The first column of the rows of a kind; a star in it is where the architecture's name goes. */
    private static List<String> listed(Pattern row) throws IOException {
        return Files.readAllLines(TABLE).stream()
                .map(row::matcher)
                .filter(matcher -> matcher.matches())
                .map(matcher ->
                        matcher.groupCount() == 1 ? matcher.group(1) : matcher.group(1) + "*" + matcher.group(2))
                .toList();
    }

    /** The architecture's own file; how the name is written in it is for the file's language to say. */
    private static Path file(String starred, Architecture architecture) {
        Path pattern = ROOT.resolve(starred);
        String[] parts = pattern.getFileName().toString().split("\\*", -1);
        Pattern name = Pattern.compile(
                Pattern.quote(parts[0]) + name(architecture) + Pattern.quote(parts[1]), Pattern.CASE_INSENSITIVE);
        try (Stream<Path> files = Files.list(pattern.getParent())) {
            return files.filter(
                            file -> name.matcher(file.getFileName().toString()).matches())
                    .findFirst()
                    .orElse(pattern.resolveSibling(parts[0] + architecture + parts[1]));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static SortedSet<String> filesWithNames() throws IOException {
        List<Pattern> names = known().map(ArchitectureTest::name).toList();
        SortedSet<String> found = new TreeSet<>();
        for (Path file : SourceFiles.below(ROOT, SOURCE)) {
            String text = file.getFileName() + "\n" + code(file);
            if (names.stream().anyMatch(name -> name.matcher(text).find())) {
                found.add(ROOT.relativize(file).toString());
            }
        }
        return found;
    }

    /** A file without its lines of comment, which may name what they like. */
    private static String code(Path file) throws IOException {
        boolean numberSign = !file.toString().matches(".*\\.(java|c|h)");
        Pattern comment = numberSign ? NUMBER_SIGN_COMMENT : COMMENT;
        StringBuilder code = new StringBuilder();
        for (String line : Files.readAllLines(file)) {
            if (!comment.matcher(line).matches()) {
                code.append(line).append('\n');
            }
        }
        return code.toString();
    }
}
