package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What test classes say of the virtual machines that run them. */
@Tag("tools")
@Tag("once")
class VmScenariosTest {
    private static final Pattern ANNOTATION = Pattern.compile("@VmTest\\(([^)]*)\\)");
    private static final Pattern NAME = Pattern.compile("\"(\\w+)\"");

    /** The scenario that runs all classes. */
    private static final String ALL = "suite";

    @Test
    void theScenariosThatClassesNameAreThoseThatRunThem() throws IOException {
        var named = new TreeSet<String>();
        for (Path source : SourceFiles.below(Path.of("src/test/java"), Pattern.compile("\\w+Test\\.java"))) {
            ANNOTATION
                    .matcher(Files.readString(source))
                    .results()
                    .flatMap(annotation -> NAME.matcher(annotation.group(1)).results())
                    .map(name -> name.group(1))
                    .forEach(named::add);
        }
        var running = new TreeSet<String>();
        for (Path scenario :
                SourceFiles.below(SourceFiles.ROOT.resolve("vm/scenarios"), Pattern.compile("\\w+\\.sh"))) {
            if (Files.readString(scenario).contains("suite ")) {
                running.add(scenario.getFileName().toString().replace(".sh", ""));
            }
        }
        running.remove(ALL);
        assertThat(named).isEqualTo(running);
    }
}
