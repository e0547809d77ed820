package dev.percpu.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.percpu.PerCpuRuntime;
import dev.percpu.cli.output.Console;
import dev.percpu.cli.output.Terminal;
import dev.percpu.cpu.CpuMask;
import java.io.BufferedReader;
import java.io.File;
import java.io.FilterWriter;
import java.io.IOException;
import java.io.InvalidObjectException;
import java.io.PipedReader;
import java.io.PipedWriter;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import javax.management.AttributeNotFoundException;
import org.assertj.core.api.AbstractStringAssert;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

public class TopCommandTest {
    private static final String TEST_CLASSES =
            Path.of("target", "test-classes").toAbsolutePath().toString();

    private static Process subject;
    private static String guarded;

    private static Process start(String main, String... options) throws IOException {
        return start(Path.of(System.getProperty("java.home")), main, options);
    }

    private static Process start(Path home, String main, String... options) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(home.resolve("bin").resolve("java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("-Dpercpu.backend=" + PerCpuRuntime.backend());
        command.add("-cp");
        command.add(String.join(
                File.pathSeparator,
                Stream.concat(
                                Stream.of(TEST_CLASSES),
                                Stream.of("jdk.module.path", "java.class.path")
                                        .map(name -> System.getProperty(name, ""))
                                        .filter(path -> !path.isEmpty()))
                        .toList()));
        // They come last, so they can also replace the class path.
        command.addAll(List.of(options));
        command.add(main);
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    /** Another {@link TopSubject}, which is up. */
    public static Process startSubjectOfItsOwn() throws IOException {
        Process process = start(TopSubject.class.getName());
        assertThat(process.inputReader().readLine()).isNotNull();
        return process;
    }

    /** Stops a process as a user does, and returns when it is. */
    public static void stop(Process process) throws Exception {
        String pid = Long.toString(process.pid());
        assertThat(new ProcessBuilder("kill", "-STOP", pid).start().waitFor()).isZero();
        while (!Files.readString(Path.of("/proc", pid, "stat")).contains(") T ")) {
            Thread.sleep(1);
        }
    }

    @BeforeAll
    static void startSubject() throws IOException {
        subject = start(TopSubject.class.getName());
        guarded = subject.inputReader().readLine();
    }

    @AfterAll
    static void endSubject() throws Exception {
        subject.getOutputStream().close();
        assertThat(subject.waitFor()).isZero();
    }

    private static CommandRun top(String... options) {
        List<String> words = new ArrayList<>(List.of("top", Long.toString(subject.pid()), "--once", "--interval=0.2"));
        words.addAll(List.of(options));
        return CommandRun.of(words.toArray(String[]::new));
    }

    private static JsonObject value(JsonObject json, String variable) {
        return json.getAsJsonArray("values").asList().stream()
                .map(JsonElement::getAsJsonObject)
                .filter(value -> value.get("variable").getAsString().equals(variable))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void theJsonHasTotalsPartsAndRates() {
        Instant before = Instant.now();
        CommandRun run;
        do {
            // Its thread may have no CPU for as long as the command looks.
            run = top("--json");
        } while (run.status() == 0
                && value(run.json(), "growing").get("perSecond").getAsDouble() == 0);

        assertThat(run.err()).isEmpty();
        assertThat(run.status()).isZero();
        assertThat(run.out().lines()).hasSize(1);
        JsonObject json = run.json();
        assertThat(json.get("pid").getAsLong()).isEqualTo(subject.pid());
        assertThat(json.get("backend").getAsString()).isEqualTo(PerCpuRuntime.backend());
        assertThat(Instant.parse(json.get("time").getAsString())).isBetween(before, Instant.now());
        assertThat(json.get("seconds").getAsDouble()).isPositive();
        JsonObject still = value(json, "still");
        assertThat(still.get("total").getAsLong())
                .isEqualTo(1000L * CpuMask.usable().weight());
        assertThat(still.get("perSecond").getAsDouble()).isZero();
        assertThat(still.getAsJsonArray("perCpu").size()).isEqualTo(CpuMask.capacity());
        JsonObject growing = value(json, "growing");
        assertThat(growing.get("type").getAsString()).isEqualTo("PerCpuCounter");
        assertThat(growing.get("value").getAsString()).isEqualTo("value");
        assertThat(growing.get("perSecond").getAsDouble()).isPositive();
        assertThat(growing.get("serial").getAsLong())
                .isGreaterThan(still.get("serial").getAsLong());
        // The thread is hot, so it may count in a place of its own, which is no CPU's.
        double parts = growing.get("elsewherePerSecond").getAsDouble()
                + growing.getAsJsonArray("perCpuPerSecond").asList().stream()
                        .mapToDouble(JsonElement::getAsDouble)
                        .sum();
        assertThat(growing.getAsJsonArray("perCpuPerSecond")).hasSize(CpuMask.capacity());
        assertThat(parts)
                .isCloseTo(growing.get("perSecond").getAsDouble(), Percentage.withPercentage(0.01))
                .isPositive();
        JsonObject endless = value(json, "endless");
        assertThat(endless.get("type").getAsString()).isEqualTo("PerCpuDoubleCounter");
        assertThat(endless.get("cumulative").getAsBoolean()).isTrue();
        assertThat(endless.get("total").getAsString()).isEqualTo("Infinity");
        assertThat(json.getAsJsonArray("failures"))
                .singleElement()
                .extracting(JsonElement::getAsString)
                .isEqualTo("broken: java.lang.ArithmeticException");
        assertThat(json.getAsJsonArray("owners")
                        .get(0)
                        .getAsJsonObject()
                        .get("cpu")
                        .getAsString())
                .isEqualTo(guarded);
    }

    @Test
    void theTextHasARowForEachValue() {
        CommandRun run = top();

        assertThat(run.err()).isEmpty();
        assertThat(run.status()).isZero();
        List<String> lines = run.out().lines().toList();
        assertThat(lines.getFirst()).startsWith("Process " + subject.pid() + ": back end " + PerCpuRuntime.backend());
        assertThat(lines)
                .anyMatch(line -> line.startsWith("Guard of CPU " + guarded + " held by thread #"))
                .anyMatch(line -> line.matches("variable +value +total +per second .* elsewhere +per second"))
                .anyMatch(line -> line.matches("still +value +[0-9,]+ +0\\.0 .* 0 +0\\.0"))
                .anyMatch(line -> line.matches("growing +value +[0-9,]+ +[0-9,.]+ .*"));
    }

    /** It goes on until nobody reads what it prints, as in a pipe to {@code head -2}. */
    @Test
    void eachRateIsThatSinceTheReadingBefore() {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        PrintWriter twoLines = new PrintWriter(new FilterWriter(out) {
            @Override
            public void flush() throws IOException {
                if (out.toString().lines().count() == 2) {
                    throw new IOException("Broken pipe");
                }
            }
        });

        int status = Main.run(
                new Console(twoLines, new PrintWriter(err), false, false),
                "top",
                Long.toString(subject.pid()),
                "--json",
                "--interval=0.1");

        assertThat(status).isEqualTo(1);
        assertThat(err.toString().lines()).containsExactly("percpu: the output could not be written");
        List<JsonObject> readings = out.toString()
                .lines()
                .map(line -> JsonParser.parseString(line).getAsJsonObject())
                .toList();
        assertThat(readings).hasSize(2);
        JsonObject before = value(readings.getFirst(), "growing");
        JsonObject now = value(readings.getLast(), "growing");
        double growth = now.get("total").getAsLong() - before.get("total").getAsLong();
        assertThat(now.get("perSecond").getAsDouble()
                        * readings.getLast().get("seconds").getAsDouble())
                .isCloseTo(growth, within(0.5));
    }

    /** On a terminal, where each reading replaces the one before it, if that fits on it. */
    @Test
    void liveItPrintsUntilTheProcessEnds() throws Exception {
        // One line too few: the last one is the cursor's.
        int height = (int) top().out().lines().count();
        Process ending = startSubjectOfItsOwn();
        StringWriter err = new StringWriter();
        try (PipedReader reader = new PipedReader(1 << 16);
                PipedWriter writer = new PipedWriter(reader);
                ExecutorService thread = Executors.newSingleThreadExecutor()) {
            Console console = new Console(new PrintWriter(writer), new PrintWriter(err), true, false);
            Future<Integer> status = thread.submit(() -> {
                try (writer) {
                    TopCommand command = new TopCommand(console, () -> new Terminal(height, 50));
                    return Main.run(console, List.of(command), "top", Long.toString(ending.pid()), "--interval=0.05");
                }
            });
            BufferedReader lines = new BufferedReader(reader);
            int readings = 0;
            int printed = 0;
            int cut = 0;
            for (String line; (line = lines.readLine()) != null; ) {
                printed++;
                assertThat(line.replace("\u001b[H\u001b[J", "")).hasSizeLessThanOrEqualTo(50);
                assertThat(printed).isLessThanOrEqualTo((height - 1) * (readings + 1));
                if (line.equals("2 more values; --once and --json print all")) {
                    cut++;
                }
                if (line.startsWith("\u001b[H\u001b[JProcess " + ending.pid() + ": back end ")) {
                    readings++;
                    if (readings == 3) {
                        ending.getOutputStream().close();
                    }
                }
            }
            assertThat(readings).isGreaterThanOrEqualTo(3);
            assertThat(cut).isEqualTo(readings);
            assertThat(status.get()).isEqualTo(1);
        } finally {
            ending.destroy();
        }
        assertThat(err.toString().lines()).containsExactly("percpu: process " + ending.pid() + " has ended");
    }

    /** What top says, in one line, of a process that it cannot show once that has printed something. It goes on. */
    private static AbstractStringAssert<?> assertRefused(Process process) throws IOException {
        try {
            assertThat(process.inputReader().readLine()).isNotNull();
            String said = CommandRun.of("top", Long.toString(process.pid())).failure();
            assertThat(process.isAlive()).isTrue();
            return assertThat(said.replaceFirst("process " + process.pid(), "process PID"));
        } finally {
            process.destroy();
        }
    }

    @Test
    void aJvmWithoutPercpuIsNotShown() throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        assertRefused(new ProcessBuilder(java, "-m", "jdk.httpserver", "-p", "0")
                        .redirectErrorStream(true)
                        .start())
                .startsWith("percpu: process PID does not have Percpu on its class path");
    }

    /** Such a bean is asked wherever Percpu is: here another class loader has it, or none. */
    @ParameterizedTest
    @ValueSource(classes = {AttributeNotFoundException.class, InvalidObjectException.class})
    void aBeanOfAnotherVersionIsNotShown(Class<?> reason) throws Exception {
        assertRefused(start(OtherVersion.class.getName(), "-cp", TEST_CLASSES, "-Dreason=" + reason.getSimpleName()))
                .startsWith("percpu: process PID has no management bean that this version of top can read: "
                        + reason.getName());
    }

    @Test
    void aProcessThatCannotBeAttachedToIsToldWhatMayForbidIt() throws Exception {
        assertRefused(start(TopSubject.class.getName(), "-XX:+DisableAttachMechanism"))
                .startsWith("percpu: process PID cannot be attached to; perhaps it forbids that"
                        + " (-XX:+DisableAttachMechanism): ");
    }

    @Test
    void aProcessOfAnotherUserIsNotShown() throws Exception {
        boolean root = System.getProperty("user.name").equals("root");
        // Somebody else's: for root one that it starts, for others the first of all.
        Process other = root ? new ProcessBuilder("setpriv", "--reuid=nobody", "sleep", "600").start() : null;
        try {
            long pid = 1;
            if (other != null) {
                pid = other.pid();
                while (!other.info().user().equals(Optional.of("nobody"))) {
                    Thread.sleep(1);
                }
            }
            CommandRun run = CommandRun.of("top", Long.toString(pid));
            assertThat(run.failure())
                    .isEqualTo("percpu: process " + pid + " belongs to user " + (root ? "nobody" : "root")
                            + ": run top as that user");
        } finally {
            if (other != null) {
                other.destroy();
            }
        }
    }

    @Test
    void whatCannotBeShownIsOneLine() throws Exception {
        Process ended = start("no.such.Program");
        ended.waitFor();
        assertThat(CommandRun.of("top", Long.toString(ended.pid())).errLines())
                .containsExactly("percpu: there is no process " + ended.pid());

        long own = ProcessHandle.current().pid();
        assertThat(CommandRun.of("top", Long.toString(own)).errLines())
                .containsExactly("percpu: process " + own + " is this command itself");

        Process stopped = startSubjectOfItsOwn();
        try {
            // The agent is there. So a connection could be made, on which no answer would come.
            assertThat(CommandRun.of("top", Long.toString(stopped.pid()), "--once", "--interval=0.01")
                            .status())
                    .isZero();
            stop(stopped);
            assertThat(CommandRun.of("top", Long.toString(stopped.pid())).failure())
                    .isEqualTo("percpu: process " + stopped.pid() + " is stopped, by a signal or by a debugger,"
                            + " and cannot answer: have it continue first (kill -CONT " + stopped.pid() + ")");
        } finally {
            stopped.destroyForcibly();
        }
    }

    /** Among them such as would end if somebody tried to attach to them, and such with a name that is no UTF-8. */
    @Test
    void aProcessThatIsNoJvmIsLeftAlone(@TempDir Path directory) throws Exception {
        String endsAtSignal = "trap 'exit 3' QUIT; echo up; while :; do sleep 0.01; done";
        String named = "name=./$(printf '\\377'); cp /bin/sh $name; exec $name -c \"$0\"";
        assertRefused(new ProcessBuilder("sh", "-c", named, endsAtSignal)
                        .directory(directory.toFile())
                        .start())
                .isEqualTo("percpu: process PID is no JVM: it has not loaded libjvm.so");
    }

    @Test
    void whyTheAgentDoesNotStartIsSaid() throws Exception {
        assertRefused(start(AgentRefused.class.getName()))
                .startsWith("percpu: process PID does not start its management agent: ")
                .endsWith(AgentRefused.WITHOUT);
    }

    /** The agent's address has the host name that the process was told to have. To connect to this one never works. */
    @Test
    void aHostNameThatCannotBeReachedIsNamedAsTheReason() throws Exception {
        assertRefused(start(TopSubject.class.getName(), "-Djava.rmi.server.hostname=255.255.255.255"))
                .startsWith("percpu: process PID has a management agent that cannot be reached: java.net.")
                .endsWith("; the process's java.rmi.server.hostname has to be reachable from here");
    }

    @Test
    void aRuntimeWithoutTheAgentIsToldWhatItLacks(@TempDir Path directory) throws Exception {
        Path home = directory.resolve("runtime");
        Process jlink = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jlink").toString(),
                        "--add-modules",
                        "java.base",
                        "--output",
                        home.toString())
                .inheritIO()
                .start();
        assertThat(jlink.waitFor()).isZero();
        assertRefused(start(home, AgentRefused.class.getName())).endsWith("--add-modules jdk.management.agent");
    }
}
