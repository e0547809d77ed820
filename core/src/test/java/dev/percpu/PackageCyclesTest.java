package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * No package of a module uses another one that uses it, not even by way of others. This reads sources, since the
 * classes of other modules are compiled after these tests. {@link ArchitectureRulesTest} reads the core's classes, and
 * knows more about them. The core's tests are left out: each lies in the package that it tests, whatever else it uses.
 */
@Tag("tools")
@Tag("once")
class PackageCyclesTest {
    private static final Pattern JAVA = Pattern.compile(".*\\.java");

    /** Where the sources of a module begin. */
    private static final Pattern SOURCES = Pattern.compile("(.*/src/\\w+/\\w+)/.*");

    /** Comments and texts: they name packages without using them. */
    private static final Pattern NO_CODE = Pattern.compile(
            "(?s)/\\*.*?\\*/|//[^\\n]*|\"\"\".*?\"\"\"" + "|\"(?:\\\\.|[^\"\\\\\\n])*\"|'(?:\\\\.|[^'\\\\])+'");

    private static final Pattern PACKAGE = Pattern.compile("(?m)^package ([a-z0-9_.]+);");

    /** A class, or all classes, with the package: in an import, or where it is used. */
    private static final Pattern USE = Pattern.compile("\\b(dev\\.percpu(?:\\.[a-z][a-z0-9_]*)*)\\.(?:[A-Z]|\\*;)");

    @Test
    void theSourcesOfEachModuleAreFound() throws IOException {
        Map<String, SortedMap<String, SortedSet<String>>> modules = modules();
        assertThat(modules).containsKeys("../cli/src/main/java", "../stress/src/main/java", "../stress/src/test/java");
        assertThat(modules.get("../cli/src/main/java").get("dev.percpu.cli")).contains("dev.percpu.cli.output");
    }

    @Test
    void noPackagesOfAModuleFormACycle() throws IOException {
        SortedMap<String, SortedMap<String, SortedSet<String>>> cyclic = new TreeMap<>();
        modules().forEach((sources, uses) -> {
            SortedMap<String, SortedSet<String>> left = cycles(uses);
            if (!sources.equals("../core/src/test/java") && !left.isEmpty()) {
                cyclic.put(sources, left);
            }
        });
        assertThat(cyclic).isEmpty();
    }

    /** For each module, and for the tests of each, what other packages each of its packages uses. */
    private static Map<String, SortedMap<String, SortedSet<String>>> modules() throws IOException {
        Map<String, SortedMap<String, SortedSet<String>>> modules = new TreeMap<>();
        for (Path file : SourceFiles.below(SourceFiles.ROOT, JAVA)) {
            Matcher sources = SOURCES.matcher(file.toString());
            String code = NO_CODE.matcher(Files.readString(file)).replaceAll(" ");
            Matcher name = PACKAGE.matcher(code);
            if (sources.matches() && name.find()) {
                Set<String> used = modules.computeIfAbsent(sources.group(1), _ -> new TreeMap<>())
                        .computeIfAbsent(name.group(1), _ -> new TreeSet<>());
                USE.matcher(code)
                        .results()
                        .map(use -> use.group(1))
                        .filter(other -> !other.equals(name.group(1)))
                        .forEach(used::add);
            }
        }
        return modules;
    }

    /** Without the packages that use none of the others, and so on: what is left has a cycle. */
    private static SortedMap<String, SortedSet<String>> cycles(SortedMap<String, SortedSet<String>> uses) {
        SortedMap<String, SortedSet<String>> left = new TreeMap<>(uses);
        boolean fewer = true;
        while (fewer) {
            fewer = left.values().removeIf(used -> Collections.disjoint(used, left.keySet()));
        }
        left.replaceAll((_, used) -> {
            SortedSet<String> among = new TreeSet<>(used);
            among.retainAll(left.keySet());
            return among;
        });
        return left;
    }
}
