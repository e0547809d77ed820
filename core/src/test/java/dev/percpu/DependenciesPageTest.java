package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** {@code docs/dependencies.md} has what the POMs have: each artifact once, and who uses it. */
@Tag("tools")
@Tag("once")
class DependenciesPageTest {
    private static final Path ROOT = Path.of("..");

    /** The group of a plugin that a POM or the page names without one. */
    private static final String PLUGINS = "org.apache.maven.plugins";

    /** A dependency, a plugin, or an artifact that a plugin is configured with. */
    private static final Pattern ARTIFACT = Pattern.compile(
            "<groupId>([^<]+)</groupId>\\s*<artifactId>([^<]+)</artifactId>(?:\\s*<version>([^<]+)</version>)?");

    private static final Pattern QUOTED = Pattern.compile("`([^`]+)`");

    private final String page = Files.readString(ROOT.resolve("docs/dependencies.md"));
    private final String parent = read(ROOT.resolve("pom.xml"));

    /** The version of each artifact, and the modules that name it; those of the parent only are in none. */
    private final Map<String, String> versions = new HashMap<>();

    private final Map<String, TreeSet<String>> users = new TreeMap<>();

    /** A row of the page's tables: the artifacts that it is about, and who uses them. */
    private record Row(List<String> artifacts, String usedBy) {}

    DependenciesPageTest() throws IOException {
        addAll(parent, null);
        for (String module : modules()) {
            addAll(read(ROOT.resolve(module, "pom.xml")), module);
        }
    }

    private List<String> modules() {
        return Pattern.compile("<module>([^<]+)</module>")
                .matcher(parent)
                .results()
                .map(result -> result.group(1))
                .toList();
    }

    /** A POM without its comments, and without what it leaves out of its dependencies. */
    private static String read(Path pom) throws IOException {
        return Files.readString(pom).replaceAll("(?s)<!--.*?-->|<exclusions>.*?</exclusions>", "");
    }

    private void addAll(String pom, String module) {
        for (MatchResult result : ARTIFACT.matcher(pom).results().toList()) {
            if (result.group(1).equals("dev.percpu")) {
                continue;
            }
            String artifact = result.group(1) + ':' + result.group(2);
            TreeSet<String> modules = users.computeIfAbsent(artifact, _ -> new TreeSet<>());
            if (module != null) {
                modules.add(module);
            }
            String version = result.group(3);
            if (version != null) {
                versions.put(artifact, version);
            }
        }
    }

    /** The rows about artifacts: what is needed on the machine is no artifact. */
    private List<Row> rows() {
        List<Row> rows = new ArrayList<>();
        for (String line : page.substring(0, page.indexOf("\n## Tools on the machine"))
                .lines()
                .toList()) {
            if (!line.startsWith("| `")) {
                continue;
            }
            String[] cells = line.split(" \\| ", -1);
            String group = PLUGINS;
            List<String> artifacts = new ArrayList<>();
            for (MatchResult quoted : QUOTED.matcher(cells[0]).results().toList()) {
                String[] parts = quoted.group(1).split(":", -1);
                group = parts.length == 2 ? parts[0] : group;
                artifacts.add(group + ':' + parts[parts.length - 1]);
            }
            // A table of plugins has no licences and no users.
            rows.add(new Row(artifacts, cells.length > 2 ? cells[2] : "all"));
        }
        return rows;
    }

    @Test
    void eachArtifactHasOneRow() {
        List<String> named = rows().stream()
                .filter(row -> !row.usedBy().contains("through"))
                .flatMap(row -> row.artifacts().stream())
                .sorted()
                .toList();
        assertThat(named).containsExactlyElementsOf(users.keySet());
    }

    /** It is compiled offline, with the plugins that the build of the library has fetched. */
    @Test
    void aNewProjectHasTheVersionsOfTheParent() throws IOException {
        String stranger = read(ROOT.resolve("packaging", "stranger", "pom.xml"));
        List<MatchResult> plugins = ARTIFACT.matcher(stranger)
                .results()
                .filter(result -> result.group(1).equals(PLUGINS))
                .toList();
        assertThat(plugins)
                .isNotEmpty()
                .allSatisfy(result ->
                        assertThat(result.group(3)).isEqualTo(versions.get(result.group(1) + ':' + result.group(2))));
    }

    /** Others may use it too, through a module that names it. */
    @Test
    void theUsersHaveTheModulesWhosePomsNameIt() {
        for (Row row : rows()) {
            if (!row.usedBy().startsWith("all")) {
                for (String artifact : row.artifacts()) {
                    assertThat(row.usedBy().split("\\W+", -1))
                            .as(artifact)
                            .containsAll(users.getOrDefault(artifact, new TreeSet<>()));
                }
            }
        }
    }
}
