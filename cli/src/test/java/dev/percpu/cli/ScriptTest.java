package dev.percpu.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The script {@code percpu}, in a checkout that has nothing but what the script looks at, and in a directory with a
 * blank in its name. Maven and the JDK are scripts that print how they were called.
 */
@Tag("tools")
@Tag("once")
class ScriptTest {
    private static final Path SCRIPT = Path.of("..", "percpu").toAbsolutePath().normalize();

    /** What the script needs of any system. There is no apt-get, so nothing is ever installed. */
    private static final List<String> TOOLS = List.of(
            "awk",
            "bash",
            "cat",
            "cp",
            "cksum",
            "dirname",
            "env",
            "find",
            "flock",
            "head",
            "mkdir",
            "mv",
            "readlink",
            "rm",
            "sed",
            "sort",
            "tail",
            "touch",
            "uname");

    private static final List<String> INPUTS = List.of("core", "cli", "jackson3");

    @TempDir
    Path directory;

    private Path checkout;

    private Path tools;

    private Path jdk;

    private record Run(int status, List<String> out, List<String> err) {}

    @BeforeEach
    void make() throws IOException {
        checkout = Files.createDirectories(directory.resolve("a checkout"));
        Files.copy(SCRIPT, checkout.resolve("percpu"));
        Files.createDirectories(checkout.resolve(".mvn"));
        Files.createFile(checkout.resolve("pom.xml"));
        for (String module : INPUTS) {
            Files.createDirectories(checkout.resolve(module).resolve("src/main"));
            Files.createFile(checkout.resolve(module).resolve("pom.xml"));
        }
        Files.createFile(checkout.resolve("jackson3/generate"));
        tools = Files.createDirectories(directory.resolve("tools"));
        addTools(TOOLS);
        jdk = Files.createDirectories(directory.resolve("a jdk"));
        Files.createDirectories(jdk.resolve("bin"));
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25.0.3\"\n");
        program(jdk.resolve("bin/javac"), "exit 0");
        program(jdk.resolve("bin/java"), "printf '%s\\n' \"$@\"");
        maven(
                "mkdir -p cli/target/modules example/target/modules",
                "touch cli/target/modules/percpu-core-1.jar cli/target/modules/percpu-cli-1.jar",
                "touch example/target/modules/percpu-example-1.jar");
    }

    private void addTools(List<String> added) throws IOException {
        for (String tool : added) {
            Files.createSymbolicLink(tools.resolve(tool), find(tool));
        }
    }

    private static Path find(String tool) {
        for (String place : System.getenv("PATH").split(":", -1)) {
            Path found = Path.of(place, tool);
            if (Files.isExecutable(found)) {
                return found;
            }
        }
        throw new IllegalStateException("there is no " + tool + " on the PATH");
    }

    private static void program(Path file, String... lines) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** A Maven that does this. */
    private void maven(String... lines) throws IOException {
        List<String> all = new ArrayList<>(List.of(
                "if [ \"$1\" = --version ]; then echo 'Apache Maven 3.9.9 (0)'; exit; fi", "echo \"$@\" >>maven.log"));
        all.addAll(List.of(lines));
        program(tools.resolve("mvn"), all.toArray(String[]::new));
    }

    private int builds() throws IOException {
        Path log = checkout.resolve("maven.log");
        return Files.exists(log) ? Files.readAllLines(log).size() : 0;
    }

    private Run percpu(Map<String, String> environment, String... arguments) throws IOException, InterruptedException {
        return result(startPercpu(environment, arguments));
    }

    private Process startPercpu(Map<String, String> environment, String... arguments) throws IOException {
        Map<String, String> all = new HashMap<>(Map.of("PATH", tools.toString(), "PERCPU_JAVA_HOME", jdk.toString()));
        all.putAll(environment);
        return start(checkout.resolve("percpu"), all, arguments);
    }

    private Process start(Path script, Map<String, String> environment, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("bash", script.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectOutput(directory.resolve("out").toFile())
                .redirectError(directory.resolve("err").toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        return builder.start();
    }

    private Run result(Process process) throws IOException, InterruptedException {
        return new Run(
                process.waitFor(),
                Files.readAllLines(directory.resolve("out"), StandardCharsets.UTF_8),
                Files.readAllLines(directory.resolve("err"), StandardCharsets.UTF_8));
    }

    @Test
    void buildsWhenASourceIsNewerAndOnlyThen() throws Exception {
        assertThat(percpu(Map.of(), "info").out()).endsWith("dev.percpu.cli/dev.percpu.cli.Main", "info");
        assertThat(builds()).isEqualTo(1);
        assertThat(percpu(Map.of(), "info").err()).isEmpty();
        assertThat(builds()).isEqualTo(1);

        for (String input : List.of("core/src/main", "cli/pom.xml", "pom.xml")) {
            int before = builds();
            Files.setLastModifiedTime(
                    checkout.resolve(input), FileTime.from(Instant.now().plusSeconds(1)));
            assertThat(percpu(Map.of(), "info").status()).isZero();
            assertThat(builds()).as(input).isEqualTo(before + 1);
            Files.setLastModifiedTime(checkout.resolve(input), FileTime.from(Instant.EPOCH));
        }
    }

    @Test
    void aBuildThatFailsIsToldWithTheEndOfItsLog() throws Exception {
        maven("echo 'what is wrong'", "exit 1");

        Run run = percpu(Map.of(), "info");

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        Path log = checkout.resolve("target/percpu-build.log");
        assertThat(run.err())
                .containsExactly(
                        "percpu: building (log: " + log + ")",
                        "what is wrong",
                        "percpu: the build failed; the whole log is " + log);
    }

    /** Java ends with such a status of its own, and not by the signal. */
    @ParameterizedTest
    @ValueSource(ints = {130, 143})
    void aBuildThatIsInterruptedHasNotFailed(int status) throws Exception {
        maven("echo 'half a log'", "exit " + status);

        Run run = percpu(Map.of(), "info");

        assertThat(run.status()).isEqualTo(status);
        assertThat(run.err()).singleElement().asString().startsWith("percpu: building ");
        maven("mkdir -p cli/target/modules");
        assertThat(percpu(Map.of(), "info").status()).isZero();
        assertThat(builds()).as("it is built again").isEqualTo(2);
    }

    /**
     * What a program of a test does that runs until a signal ends it: it says that it has begun, and that it ends. If
     * no signal comes, it ends after a minute.
     */
    private String[] untilASignal() {
        return new String[] {
            "trap 'sleep 0.2; echo ended >>\"" + directory + "/ended\"; exit 143' HUP TERM",
            "grep '^SigIgn' /proc/$$/status >\"" + directory + "/begun\"",
            "i=0; while [ $i -lt 1200 ]; do sleep 0.05; i=$((i + 1)); done"
        };
    }

    /** Sends a signal to a script once what it has started has begun. */
    private Run signal(String signal, Process script) throws IOException, InterruptedException {
        Path begun = directory.resolve("begun");
        while (script.isAlive() && !(Files.exists(begun) && Files.size(begun) > 0)) {
            Thread.sleep(10);
        }
        assertThat(begun).isNotEmptyFile();
        Process sent = new ProcessBuilder("bash", "-c", "kill -" + signal + " " + script.pid()).start();
        assertThat(sent.waitFor()).isZero();
        return result(script);
    }

    /** Whether a process ignores SIGINT. */
    private static boolean ignoresCtrlC(Path status) throws IOException {
        return ignores(2, status);
    }

    private static boolean ignores(int signal, Path status) throws IOException {
        try (Stream<String> lines = Files.lines(status)) {
            String ignored =
                    lines.filter(line -> line.startsWith("SigIgn:")).findFirst().orElseThrow();
            return (Long.parseUnsignedLong(ignored.split("\\s+", -1)[1], 16) & (1L << (signal - 1))) != 0;
        }
    }

    /** Otherwise it would go on without the lock, and the next build would use the same directories meanwhile. */
    @ParameterizedTest
    @CsvSource({"TERM, 143, info", "HUP, 129, info", "TERM, 143, test"})
    void aSignalEndsMavenBeforeTheScript(String signal, int status, String command) throws Exception {
        // Under nohup it does, and then no script can do otherwise.
        assumeThat(signal.equals("HUP") && ignores(1, Path.of("/proc/self/status")))
                .as("whether this process ignores SIGHUP")
                .isFalse();
        addTools(List.of("grep", "sleep"));
        // What the command says is missing.
        String missing = percpu(Map.of(), "test").err().getFirst();
        program(tools.resolve("clang++"), "exit 0");
        for (String tool : missing.split("missing: |\\. ", -1)[1].split(", ", -1)) {
            program(tools.resolve(tool), "exit 0");
        }
        maven(untilASignal());

        Run run = signal(signal, startPercpu(Map.of(), command));

        assertThat(directory.resolve("ended")).hasContent("ended");
        assertThat(run.status()).isEqualTo(status);
        assertThat(ignoresCtrlC(directory.resolve("begun")))
                .as("whether Maven ignores Ctrl-C")
                .isEqualTo(ignoresCtrlC(Path.of("/proc/self/status")));
    }

    @ParameterizedTest
    @CsvSource({
        "mvn,  info,         Maven 3.9 or newer",
        "gcc,  driver,       gcc",
        "gcc,  bench,        gcc",
        "wrk,  bench --curves .,     'gcc, the C library''s headers, wrk'",
        "wrk,  bench --curves=HTTP, 'gcc, the C library''s headers, wrk'",
        "wrk,  bench --curves=(?i)http, 'gcc, the C library''s headers, wrk'",
        "wrk,  example-test, wrk"
    })
    void aToolThatIsMissingIsOneLine(String tool, String command, String message) throws Exception {
        Files.deleteIfExists(tools.resolve(tool));

        copyChecks();

        Run run = percpu(Map.of(), command.split(" "));

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).singleElement().asString().startsWith("percpu: missing: " + message);
        assertThat(builds()).isZero();
    }

    @Test
    void whatTheTestsOfTheHeaderNeedIsNamedToo() throws Exception {
        Run run = percpu(Map.of(), "test");

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err())
                .singleElement()
                .asString()
                .startsWith("percpu: missing: ")
                .contains(", g++, clang, clang's sanitizers, lld, ");
    }

    @Test
    void aJdkThatIsMissingIsOneLine() throws Exception {
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"21.0.9\"\n");

        Run run = percpu(Map.of(), "info");

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err())
                .containsExactly("percpu: PERCPU_JAVA_HOME=" + jdk + " is not a JDK 25 or newer with a javac");
    }

    /** The script goes to other directories before it uses it. */
    @ParameterizedTest
    @ValueSource(strings = {"PERCPU_JAVA_HOME", "JAVA_HOME"})
    void aJdkMayHaveARelativePath(String variable) throws Exception {
        maven(
                "[ -x \"$JAVA_HOME/bin/java\" ] || exit 1",
                "mkdir -p cli/target/modules",
                "touch cli/target/modules/percpu-core-1.jar cli/target/modules/percpu-cli-1.jar");

        Map<String, String> environment = new HashMap<>(Map.of("PERCPU_JAVA_HOME", ""));
        environment.put(variable, directory.relativize(jdk).toString());
        Run run = percpu(environment, "info");

        assertThat(run.err()).containsExactly("percpu: building (log: " + checkout + "/target/percpu-build.log)");
        assertThat(run.status()).isZero();
    }

    /** What the script runs to install something, and whose package starts a service. */
    @Test
    void noServiceIsStartedByWhatIsInstalled() throws Exception {
        boolean root = System.getProperty("user.name").equals("root");
        program(
                tools.resolve("apt-get"),
                "echo \"$2 offline=$SYSTEMD_OFFLINE\" >>apt.log",
                "for tool in wrk prometheus curl chromium; do ln -sf mvn '" + tools + "'/$tool; done");
        Files.createSymbolicLink(tools.resolve("ln"), find("ln"));

        copyChecks();

        Run run = percpu(Map.of(), "example-test");

        if (root) {
            assertThat(Files.readAllLines(directory.resolve("apt.log")))
                    .containsExactly("update offline=", "install offline=1");
        } else {
            assertThat(run.err()).singleElement().asString().contains("Install it with: sudo apt-get install");
        }
    }

    private Run script(String name, String... arguments) throws IOException, InterruptedException {
        return result(startScript(name, arguments));
    }

    private Process startScript(String name, String... arguments) throws IOException {
        Path script = checkout.resolve(name);
        Files.createDirectories(script.getParent());
        Files.copy(SCRIPT.resolveSibling(name), script, StandardCopyOption.REPLACE_EXISTING);
        return start(script, Map.of("PATH", tools.toString(), "JAVA_HOME", jdk.toString()), arguments);
    }

    /** Locks something as another run does, until its standard input ends. */
    private static Process lock(Path what) throws IOException {
        Process locking = new ProcessBuilder("flock", what.toString(), "sh", "-c", "echo locked; cat").start();
        assertThat(locking.inputReader().readLine()).isEqualTo("locked");
        return locking;
    }

    @Test
    void oneRunOfAVirtualMachineDoesNotDeleteWhatAnotherOneUses() throws Exception {
        for (String file : List.of("packages.sh", "machine.sh", "scenarios/header.sh")) {
            Path copy = checkout.resolve("vm").resolve(file);
            Files.createDirectories(copy.getParent());
            Files.copy(SCRIPT.resolveSibling("vm").resolve(file), copy);
        }
        Path used = Files.createDirectories(checkout.resolve("target/vm/header-" + architecture() + "-6.12"));
        Process other = lock(used.resolveSibling(used.getFileName() + ".lock"));
        try {
            Run run = script("vm/vm-test.sh", "--scenario", "header");

            assertThat(run.status()).isEqualTo(1);
            assertThat(run.out()).isEmpty();
            assertThat(run.err()).containsExactly("percpu: another run of this scenario is going on: it uses " + used);
            assertThat(used).exists();
        } finally {
            other.destroy();
        }
    }

    @Test
    void aKernelThatHangsBeforeItsFirstProgramIsStartedOnceMore() throws Exception {
        Run run = boot(0, 60, "if [ -e said ]; then echo 'vm-test: done' >machine/log; else exec sleep 60; fi");

        assertThat(run.err())
                .containsExactly(
                        "percpu: the kernel ran no program within 0 seconds; one more try. The end of what it said:",
                        "a kernel");
        // Twice if the first one begins so late that it finds the complaint.
        assertThat(run.out()).isNotEmpty().containsOnly("  done");
        assertThat(run.status()).isZero();
    }

    @Test
    void aKernelThatHangsTwiceHasFailed() throws Exception {
        Run run = boot(0, 2, "exec sleep 60");

        assertThat(run.err())
                .hasSize(3)
                .endsWith("a kernel", "percpu: the virtual machine was not done after 2 seconds");
        assertThat(run.out()).isEmpty();
        assertThat(run.status()).isEqualTo(124);
    }

    @Test
    void aMachineThatEndsAtOnceIsNotStartedAgain() throws Exception {
        Run run = boot(60, 60, "echo 'what is wrong'; echo once >>starts; exit 3");

        assertThat(run.err()).containsExactly("percpu: QEMU ended with status 3: what is wrong");
        assertThat(run.status()).isEqualTo(3);
        assertThat(directory.resolve("starts")).hasContent("once");
    }

    /** This machine's, as the script asks for it. */
    private static String architecture() throws IOException {
        try (BufferedReader uname = new ProcessBuilder("uname", "-m").start().inputReader()) {
            return uname.readLine();
        }
    }

    /**
     * Boots a machine in the directory {@code machine}. Its QEMU is a script of this line. A complaint leaves a file
     * {@code said}.
     */
    private Run boot(int patience, int timeout, String line) throws IOException, InterruptedException {
        addTools(List.of("sleep", "timeout"));
        Path console = Files.createDirectories(directory.resolve("machine")).resolve("console.log");
        Files.writeString(console, "a kernel\n");
        program(tools.resolve("qemu-system-" + architecture()), line);
        Path script = directory.resolve("boot.sh");
        Path machine = SCRIPT.resolveSibling("vm/machine.sh");
        Files.write(
                script,
                List.of(
                        "set -euo pipefail",
                        "say() { echo \"percpu: $*\" >&2; touch said; }",
                        ". '" + machine + "'",
                        "qemu_options='' kernel_options='' broken_cpus='' patience=" + patience,
                        "boot " + architecture() + " kernel initrd 2 1G " + timeout + " machine"));
        return result(start(script, Map.of("PATH", tools.toString())));
    }

    @Test
    void oneTestOfThePackagesDoesNotDeleteWhatAnotherOneUses() throws Exception {
        Path used = Files.createDirectories(checkout.resolve("target/package-test"));
        Process other = lock(Files.createDirectories(checkout.resolve("packaging")));
        try {
            Run run = script("packaging/package-test.sh");

            assertThat(run.status()).isEqualTo(1);
            assertThat(run.err()).containsExactly("percpu: another package-test is going on in " + checkout);
            assertThat(used).exists();
        } finally {
            other.destroy();
        }
    }

    /** What it starts may outlive it, and would keep the lock. */
    @Test
    void whatATestOfThePackagesStartsDoesNotHaveItsLock() throws Exception {
        program(tools.resolve("git"), "readlink /proc/self/fd/* >descriptors; echo no sources; exit 1");

        Run run = script("packaging/package-test.sh");

        assertThat(run.err()).singleElement().asString().endsWith("no sources");
        assertThat(Files.readAllLines(directory.resolve("descriptors")))
                .isNotEmpty()
                .doesNotContain(checkout.resolve("packaging").toString());
    }

    @Test
    void aSignalEndsMavenBeforeATestOfThePackages() throws Exception {
        addTools(List.of("grep", "sleep", "tar"));
        Files.createDirectories(checkout.resolve("packaging"));
        Files.writeString(checkout.resolve("packaging/api-baseline"), "a commit");
        program(tools.resolve("git"), "case \"$3\" in archive) tar -c -T /dev/null ;; esac");
        maven(untilASignal());

        Run run = signal("TERM", startScript("packaging/package-test.sh"));

        assertThat(directory.resolve("ended")).hasContent("ended");
        assertThat(run.status()).isEqualTo(143);
    }

    /** There is no gcc, no wrk and no Chromium here. */
    @ParameterizedTest
    @ValueSource(strings = {"bench --help", "bench --saved", "bench --tables"})
    void whatMeasuresNothingNeedsNoTools(String command) throws Exception {
        assertThat(percpu(Map.of(), command.split(" ")).status()).isZero();
        assertThat(builds()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"header", "test", "driver", "page-test", "example-test"})
    void helpOfWhatIsNoJavaOnlyTells(String command) throws Exception {
        assertThat(percpu(Map.of(), "info").status()).isZero();

        Run run = percpu(Map.of(), command, "--help");

        assertThat(run.status()).isZero();
        assertThat(run.out()).singleElement().asString().startsWith("Usage: ./percpu " + command);
        assertThat(run.err()).isEmpty();
        assertThat(percpu(Map.of(), "info").err())
                .as("what was built is not forgotten")
                .isEmpty();
        assertThat(builds()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({
        "--scenario suite --scenario nonsense, scenario \"nonsense\"",
        "--arch nonsense,                      --arch is",
        "--cpus nonsense,                      --cpus is a whole number from 1",
        "--cpus 0,                             not \"0\"",
        "nonsense,                             unknown option"
    })
    void virtualMachinesThatCannotBeAreRefusedBeforeAnythingIsBuilt(String options, String message) throws Exception {
        Path vm = Files.createDirectories(checkout.resolve("vm"));
        for (String part : List.of("vm-test.sh", "packages.sh", "machine.sh", "scenarios", "scenarios/suite.sh")) {
            Files.copy(Path.of("..", "vm", part), vm.resolve(part));
        }

        Run run = percpu(Map.of(), ("vm-test " + options).split(" "));

        assertThat(run.status()).isEqualTo(2);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).singleElement().asString().startsWith("percpu: ").contains(message);
        assertThat(builds()).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "example-test nonsense, not \"nonsense\"",
        "example-test 40,       not \"40\"",
        "example-test 1 1,      at most one argument"
    })
    void aWrongArgumentIsRefusedBeforeAnythingIsInstalledOrBuilt(String command, String message) throws Exception {
        copyChecks();

        Run run = percpu(Map.of(), command.split(" "));

        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err()).singleElement().asString().startsWith("percpu: ").contains(message);
        assertThat(builds()).isZero();
    }

    /** There is no wrk here. */
    @ParameterizedTest
    @ValueSource(
            strings = {"--html server.html", "--only HTTP", "--curves", "--curves --html server.html", "--curves=Cache"
            })
    void onlyCurvesOfAServerNeedWrk(String options) throws Exception {
        program(tools.resolve("gcc"), "exit 0");

        assertThat(percpu(Map.of(), ("bench " + options).split(" ")).status()).isZero();
        assertThat(builds()).isEqualTo(1);
    }

    /** The scripts that check with other programs; these are scripts too. */
    private void copyChecks() throws IOException {
        for (String check : List.of(
                "testing/check/chromium.sh",
                "cli/check/page.sh",
                "example/check/prometheus.sh",
                "example/check/page.sh")) {
            Path copy = checkout.resolve(check);
            Files.createDirectories(copy.getParent());
            Files.copy(SCRIPT.resolveSibling(check), copy, StandardCopyOption.COPY_ATTRIBUTES);
        }
        addTools(List.of("grep", "mktemp", "sleep", "timeout"));
        program(tools.resolve("curl"), "echo '\"cpu\": 0, \"rate\": [1], \"micros\": [1], \"value\":[1,\"1\"]'");
    }

    /** Their arguments are an address, or a page and the directory of its results. */
    private Process startCheck(String check) throws IOException {
        Path page = Files.writeString(directory.resolve("page"), "");
        return start(
                checkout.resolve(check),
                Map.of("PATH", tools.toString(), "PERCPU_JAVA_HOME", jdk.toString(), "TMPDIR", directory.toString()),
                check.startsWith("cli") ? new String[] {page.toString(), directory.toString()} : new String[] {"1"});
    }

    private List<String> temporaryDirectories() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith("tmp."))
                    .toList();
        }
    }

    /** Chromium, or wrk: whatever a check has started last. */
    @ParameterizedTest
    @ValueSource(strings = {"cli/check/page.sh", "example/check/page.sh", "example/check/prometheus.sh"})
    void aSignalEndsWhatACheckHasStarted(String check) throws Exception {
        copyChecks();
        program(jdk.resolve("bin/java"), "echo 'Status page: http://127.0.0.1:1/'", "exec sleep 60");
        program(tools.resolve("prometheus"), "echo '\"Listening on\" address=127.0.0.1:1 '", "exec sleep 60");
        program(tools.resolve(check.endsWith("page.sh") ? "chromium" : "wrk"), untilASignal());

        Run run = signal("TERM", startCheck(check));

        assertThat(directory.resolve("ended")).hasContent("ended");
        assertThat(run.status()).isEqualTo(143);
        assertThat(temporaryDirectories()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "cli/check/page.sh,           what is wrong",
        "example/check/page.sh,       Chromium has drawn no page",
        "example/check/prometheus.sh, the example did not start"
    })
    void whatCannotBeRemovedIsNotTheStatusOfACheck(String check, String message) throws Exception {
        copyChecks();
        program(tools.resolve("chromium"), "echo 'what is wrong' >&2", "exit 3");
        program(tools.resolve("prometheus"), "exit 3");
        program(tools.resolve("wrk"), "exit 3");
        Files.delete(tools.resolve("rm"));
        program(tools.resolve("rm"), "exit 7");

        Run run = result(startCheck(check));

        assertThat(run.err()).anySatisfy(line -> assertThat(line).contains(message));
        assertThat(run.status()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"info", "example"})
    void nativeAccessIsAsTheUserWants(String command) throws Exception {
        assertThat(percpu(Map.of(), command).out())
                .contains("--enable-native-access=dev.percpu")
                .doesNotContain("--illegal-native-access=deny");
        assertThat(percpu(Map.of("PERCPU_NATIVE_ACCESS", "deny", "PERCPU_JAVA_OPTS", " -Xmx1g  -Dx=y "), command)
                        .out())
                .contains("--illegal-native-access=deny", "-Xmx1g", "-Dx=y")
                .doesNotContain("--enable-native-access=dev.percpu");
        Run wrong = percpu(Map.of("PERCPU_NATIVE_ACCESS", "no"), command);
        assertThat(wrong.status()).isEqualTo(2);
        assertThat(wrong.err())
                .containsExactly("percpu: PERCPU_NATIVE_ACCESS must be \"allow\" or \"deny\", not \"no\"");
    }

    private void copyHeader() throws IOException {
        Path parts = Files.createDirectories(checkout.resolve("native/include/percpu"));
        Files.copy(Path.of("..", "native", "assemble"), checkout.resolve("native/assemble"));
        Files.writeString(parts.resolveSibling("percpu.h"), "first\n#include \"percpu/part.h\"\nlast\n");
        Files.writeString(parts.resolve("part.h"), "part\n");
    }

    @ParameterizedTest
    @CsvSource({
        "'',        2, the name of FILE must not be empty",
        "-,         2, '- looks like an option'",
        "--verbose, 2, '--verbose looks like an option'",
        "/proc,     1, '/proc could not be written: Is a directory'",
        "/dev/full, 1, '/dev/full could not be written: No space left on device'",
        "/proc/a/b, 1, '/proc/a/b could not be written: No such file or directory'"
    })
    void aHeaderThatCannotBeWrittenIsOneLine(String file, int status, String message) throws Exception {
        copyHeader();

        Run run = percpu(Map.of(), "header", file);

        assertThat(run.err()).singleElement().asString().startsWith("percpu: " + message);
        assertThat(run.out()).isEmpty();
        assertThat(run.status()).isEqualTo(status);
        assertThat(directory.resolve(file.startsWith("-") ? file : "none")).doesNotExist();
    }

    @Test
    void theHeaderIsWrittenWhereItIsAskedForAndNowhereElse() throws Exception {
        copyHeader();
        Path wanted = Files.createDirectory(directory.resolve("wanted"));
        Path link = Files.createSymbolicLink(wanted.resolve("link"), Path.of("a file.h"));

        assertThat(percpu(Map.of(), "header", link.toString()).status()).isZero();
        assertThat(wanted.resolve("a file.h")).hasContent("first\npart\nlast");
        assertThat(link).isSymbolicLink();
        assertThat(percpu(Map.of(), "header", "/dev/stdout").out()).containsExactly("first", "part", "last");
        assertThat(percpu(Map.of(), "header", "/dev/stderr").err()).containsExactly("first", "part", "last");
        Run refused = percpu(Map.of(), "header", wanted.toString());
        assertThat(refused.status()).isNotZero();
        assertThat(refused.err()).hasSize(1);
        try (Stream<Path> files = Files.walk(wanted)) {
            assertThat(files.map(wanted::relativize).map(Path::toString))
                    .containsExactlyInAnyOrder("", "a file.h", "link");
        }
    }
}
