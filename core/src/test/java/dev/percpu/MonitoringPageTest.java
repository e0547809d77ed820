package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.Jvm;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Name;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What {@code docs/monitoring.md} tells users to type has the effect that it says, and what it shows is so. */
@Tag("tools")
@Tag("once")
class MonitoringPageTest {
    private static final Path PAGE = Path.of("..", "docs", "monitoring.md");

    private static List<String> all(String pattern) throws IOException {
        return Pattern.compile(pattern, Pattern.MULTILINE)
                .matcher(Files.readString(PAGE))
                .results()
                .map(MatchResult::group)
                .toList();
    }

    /** Has commands of the page change this process, and prints what its recordings are told about the events. */
    static final class Recorded {
        private Recorded() {}

        public static void main(String[] commands) throws IOException, InterruptedException {
            String pid = Long.toString(ProcessHandle.current().pid());
            for (String command : commands) {
                Process process = new ProcessBuilder("sh", "-c", command.replace("PID", pid))
                        .redirectErrorStream(true)
                        .start();
                System.out.print(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
                System.out.println("status " + process.waitFor());
            }
            FlightRecorder.getFlightRecorder().getRecordings().stream()
                    .map(recording -> recording.getSettings().entrySet())
                    .flatMap(settings -> settings.stream().sorted(Map.Entry.comparingByKey()))
                    .filter(setting -> setting.getKey().startsWith("dev.percpu."))
                    .forEach(setting -> System.out.println(setting.getKey() + " is " + setting.getValue()));
        }
    }

    /** To know a setting of an event that no configuration file of the JDK has, the JDK wants a plus sign before it. */
    @Test
    void theCommandsOfTheFlightRecorderHaveAnEffect() throws IOException {
        List<String> commands = all("jcmd PID JFR\\.start [^`\\n]+");
        List<String> options = all("-XX:StartFlightRecording[^`\\s]+");
        assertThat(commands).isNotEmpty();
        assertThat(options).isNotEmpty();
        Jvm jvm = Jvm.asHere().environment("PATH", pathWithJdk());
        options.forEach(jvm::option);

        assertThat(jvm.outputOf(Recorded.class, commands.toArray(String[]::new)))
                .doesNotContain("doesn't exist", "status 1")
                .contains(
                        "dev.percpu.Variable#period is 1 s",
                        "dev.percpu.PoolAwaited#threshold is 10 ms",
                        "dev.percpu.GuardContended#enabled is false");
    }

    /** What the page does not name, nobody looks for in a recording. */
    @Test
    void theTableOfEventsHasEachEventWithItsFields() throws IOException, ClassNotFoundException {
        Map<String, Set<String>> shown = new TreeMap<>();
        for (String row : all("^\\| `dev\\.percpu\\..+")) {
            String[] cells = row.split("\\|", -1);
            shown.put(cells[1].strip().replace("`", ""), quoted(cells[3]));
        }
        Map<String, Set<String>> declared = new TreeMap<>();
        for (String source : Objects.requireNonNull(new File("src/main/java/dev/percpu/internal/jfr").list())) {
            if (source.endsWith("Event.java")) {
                Class<?> event = Class.forName("dev.percpu.internal.jfr." + source.replace(".java", ""));
                declared.put(event.getAnnotation(Name.class).value(), fields(event));
            }
        }
        assertThat(shown).isNotEmpty().isEqualTo(declared);
    }

    private static Set<String> quoted(String cell) {
        return ours(Pattern.compile("`(\\w+)`").matcher(cell).results().map(found -> found.group(1)));
    }

    private static Set<String> fields(Class<?> event) {
        return ours(Stream.of(event.getDeclaredFields())
                .filter(field -> !Modifier.isStatic(field.getModifiers()))
                .map(Field::getName));
    }

    /** Without what the flight recorder adds to each event. */
    private static Set<String> ours(Stream<String> fields) {
        return fields.filter(field -> !field.equals("startTime") && !field.equals("duration"))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String pathWithJdk() {
        return Path.of(System.getProperty("java.home"), "bin") + ":" + System.getenv("PATH");
    }

    /** Prints the names of the first sequences. */
    static final class Mapped {
        private Mapped() {}

        public static void main(String[] arguments) throws IOException {
            System.out.println(PerCpuRuntime.backend());
            Path file = Path.of("/tmp/perf-" + ProcessHandle.current().pid() + ".map");
            try (Stream<String> lines = Files.lines(file)) {
                lines.limit(Long.parseLong(arguments[0])).map(Mapped::name).forEach(System.out::println);
            } finally {
                Files.delete(file);
            }
        }

        /** Without the address, which differs from run to run, and the length, which depends on the processor. */
        static String name(String line) {
            return line.split(" ", 3)[2];
        }
    }

    @Test
    void theFileForProfilersBeginsAsThePageShows() throws IOException {
        List<String> shown = all("^[0-9a-f]+ [0-9a-f]+ percpu: .+");
        assertThat(shown).isNotEmpty();

        String output =
                new Jvm().option("-Dpercpu.perf.map=true").outputOf(Mapped.class, Integer.toString(shown.size()));
        assertThat(output.lines().skip(1))
                .containsExactlyElementsOf(shown.stream().map(Mapped::name).toList());
    }
}
