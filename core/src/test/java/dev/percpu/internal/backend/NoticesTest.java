package dev.percpu.internal.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.PerCpuRuntime;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuEvent;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.code.Catalogue;
import dev.percpu.internal.code.Sequence;
import dev.percpu.internal.linux.Affinity;
import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.Topology;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.Machine;
import dev.percpu.testing.Seccomp;
import dev.percpu.testing.WithoutCpuId;
import dev.percpu.testing.Workers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.ResourceBundle;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the choice of the back end tells others, and what becomes of it after a restore. Mostly in a JVM of its own. */
@Tag("rseq")
class NoticesTest {
    private static final int EPERM = 1;

    /** The user's logging, which uses the library from its first method on. */
    public static final class CountingFinder extends System.LoggerFinder {
        private static final PerCpuCounter LOGGERS = new PerCpuCounter("loggers");

        @Override
        public System.Logger getLogger(String name, Module module) {
            LOGGERS.increment();
            return new CountingLogger(name);
        }
    }

    /** Counts, and prints what this library says. */
    private record CountingLogger(String name) implements System.Logger {
        private static final PerCpuCounter MESSAGES = new PerCpuCounter("messages");
        private static final CountDownLatch LOGGED = new CountDownLatch(1);

        @Override
        public String getName() {
            return name;
        }

        @Override
        public boolean isLoggable(Level level) {
            return true;
        }

        @Override
        public void log(Level level, @Nullable ResourceBundle bundle, String message, @Nullable Throwable thrown) {
            log(level, bundle, message, new Object[0]);
        }

        @Override
        public void log(Level level, @Nullable ResourceBundle bundle, String format, Object... parameters) {
            MESSAGES.increment();
            if (name.equals("dev.percpu")) {
                System.out.println(level + " " + (parameters.length > 0 ? parameters[0] : format));
                LOGGED.countDown();
            }
        }
    }

    /** Counts from its class initializer on, then waits for the message. */
    static final class Logged {
        private static final PerCpuCounter COUNTER = new PerCpuCounter("counter");

        private Logged() {}

        public static void main(String[] arguments) throws InterruptedException {
            COUNTER.increment();
            CountingLogger.LOGGED.await();
            System.out.println(PerCpuRuntime.backend() + ", counted " + COUNTER.sum());
        }
    }

    private static void provide(Path directory) throws IOException {
        Path services = Files.createDirectories(directory.resolve("META-INF").resolve("services"));
        Files.writeString(services.resolve(System.LoggerFinder.class.getName()), CountingFinder.class.getName());
    }

    @Test
    void theSlowBackEndIsToldOnceAndTheLoggerMayUseTheLibrary(@TempDir Path directory) throws IOException {
        provide(directory);
        String output = new Jvm()
                .with(directory.toString())
                .environment("GLIBC_TUNABLES", "glibc.pthread.rseq=0")
                .outputOf(Logged.class);
        assertThat(output.lines().filter(line -> line.startsWith("INFO ")))
                .singleElement()
                .asString()
                .startsWith("INFO the C library registered no thread for restartable sequences");
        assertThat(output).contains("atomic, counted 1");
    }

    /** Counts and ends. */
    static final class Silent {
        private Silent() {}

        public static void main(String[] arguments) {
            new PerCpuCounter("counter").increment();
            System.out.println(PerCpuRuntime.backend() + ", threads: "
                    + Thread.getAllStackTraces().keySet().stream()
                            .filter(thread -> thread.getName().equals("percpu-reporter"))
                            .count());
        }
    }

    @Test
    void aBackEndThatWasAskedForIsNoNews() {
        assertThat(new Jvm().option("-Dpercpu.backend=atomic").run(Silent.class).output())
                .isEqualTo("atomic, threads: 0\n");
        assertThat(new Jvm().run(Silent.class).output()).isEqualTo("rseq, threads: 0\n");
    }

    /** Reads the file that names the sequences. */
    static final class PerfMapProbe {
        private static final String EVENT = "percpu: event: ";

        private PerfMapProbe() {}

        public static void main(String[] arguments) throws IOException {
            Path file = Path.of("/tmp/perf-" + ProcessHandle.current().pid() + ".map");
            Files.writeString(file, "1000 10 another generator's\n");
            System.out.println(PerCpuRuntime.backend());
            PerCpuEvent.builder().increment(new PerCpuCounter()).build().record();
            List<String> lines = Files.readAllLines(file);
            Files.delete(file);
            long end = 0;
            List<String> byAddress = lines.stream()
                    .skip(1)
                    .sorted(Comparator.comparingLong(line -> Long.parseLong(line.split(" ", 2)[0], 16)))
                    .toList();
            for (String line : byAddress) {
                String[] parts = line.split(" ", 3);
                long start = Long.parseLong(parts[0], 16);
                if (start < end) {
                    System.out.println("overlaps: " + line);
                }
                end = start + Long.parseLong(parts[1], 16);
            }
            List<String> expected = Catalogue.entries().stream()
                    .map(Sequence::name)
                    .map(name -> "percpu: " + name)
                    .sorted()
                    .toList();
            List<String> names = lines.stream()
                    .skip(1)
                    .map(line -> line.split(" ", 3)[2])
                    .filter(name -> !name.startsWith(EVENT))
                    .sorted()
                    .toList();
            System.out.println("events: "
                    + lines.stream().filter(line -> line.contains(EVENT)).count());
            System.out.println(names.equals(expected) ? "all named" : names + " instead of " + expected);
            System.out.println(lines.getFirst());
        }
    }

    @Test
    void profilersReadTheNamesOfSequencesIfAsked() {
        assertThat(new Jvm()
                        .option("-Dpercpu.perf.map=true")
                        .run(PerfMapProbe.class)
                        .output())
                .isEqualTo("rseq\nevents: 1\nall named\n1000 10 another generator's\n");
    }

    /** Has something there already where the names are to be written. */
    static final class PerfMapInTheWay {
        private PerfMapInTheWay() {}

        public static void main(String[] arguments) throws IOException, InterruptedException {
            Path file = Path.of("/tmp/perf-" + ProcessHandle.current().pid() + ".map");
            Path other = Files.createTempFile("percpu-perf", ".map");
            try {
                switch (arguments[0]) {
                    case "link" -> Files.createSymbolicLink(file, other);
                    case "name" -> Files.createLink(file, other);
                    case "pipe" -> {
                        int _ = new ProcessBuilder("mkfifo", file.toString())
                                .start()
                                .waitFor();
                    }
                    default -> {
                        Files.writeString(file, "of an earlier process\n");
                        Files.setLastModifiedTime(file, FileTime.from(Instant.EPOCH));
                    }
                }
                PerCpuEvent.builder().increment(new PerCpuCounter()).build().record();
                System.out.println(PerCpuRuntime.backend() + ", other file: " + Files.size(other) + " bytes");
                if (arguments[0].equals("file")) {
                    List<String> lines = Files.readAllLines(file);
                    System.out.println("named: " + lines.stream().allMatch(line -> line.contains(" percpu: ")));
                }
            } finally {
                Files.delete(file);
                Files.delete(other);
            }
        }
    }

    /** Another user may have put it there. */
    @ParameterizedTest
    @ValueSource(strings = {"link", "name", "pipe"})
    void namesOfSequencesAreWrittenToAFileOfOurOwnOnly(String kind) {
        assertThat(new Jvm()
                        .option("-Dpercpu.perf.map=true")
                        .run(PerfMapInTheWay.class, kind)
                        .output())
                .contains("rseq, other file: 0 bytes\n");
    }

    @Test
    void namesOfSequencesReplaceThoseOfAnEarlierProcess() {
        assertThat(new Jvm()
                        .option("-Dpercpu.perf.map=true")
                        .run(PerfMapInTheWay.class, "file")
                        .output())
                .isEqualTo("rseq, other file: 0 bytes\nnamed: true\n");
    }

    /** Asks for restarts in a process that has no registration, as after a restore. */
    static final class Unregistered {
        private Unregistered() {}

        public static void main(String[] arguments) {
            Linux.restartSequencesOn(0);
            System.out.println("restarted");
        }
    }

    @Test
    void aLostRegistrationIsRenewed() {
        assertThat(new Jvm().run(Unregistered.class).output()).isEqualTo("restarted\n");
    }

    @Test
    void aRegistrationForRestartsThatCannotBeRenewedIsFoundAfterARestore() throws InterruptedException {
        PerCpuRuntime.checkAfterRestore();
        // Only this thread, and those that it starts, cannot register any more.
        Workers.run("other-", 1, _ -> {
            Seccomp.refuse(Machine.Call.MEMBARRIER, EPERM);
            assertThatThrownBy(PerCpuRuntime::checkAfterRestore)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("membarrier")
                    .hasMessageContaining("percpu.backend=atomic");
        });
    }

    @Test
    void aCpuIdThatIsOutOfDateIsFoundAfterARestore() throws InterruptedException {
        BitSet usable = Topology.usable();
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            int stale = cpu;
            // The id of the only CPU is never wrong.
            if (usable.cardinality() > 1 || !usable.get(cpu)) {
                Workers.run("other-", 1, _ -> {
                    WithoutCpuId.leave(stale);
                    assertThatThrownBy(PerCpuRuntime::checkAfterRestore)
                            .as("CPU id %s", stale)
                            .isInstanceOf(IllegalStateException.class)
                            .hasMessageContaining("CPU id is out of date");
                });
            }
        }
    }

    @Test
    void theCheckAfterARestoreLeavesTheThreadToItsCpus() throws InterruptedException {
        Workers.run("other-", 1, _ -> {
            BitSet before = Affinity.get();
            PerCpuRuntime.checkAfterRestore();
            assertThat(Affinity.get()).isEqualTo(before);
        });
    }
}
