package dev.percpu.cli.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.percpu.cli.output.CliException;
import dev.percpu.cli.output.Messages;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Runs the jar with the benchmarks, in a process of its own. */
public final class Jmh {
    /** Nothing but the time of one operation, and what it allocates. A benchmark that throws is a failure. */
    private static final List<String> MEASUREMENT = List.of("-tu", "ns", "-prof", "gc", "-foe", "true");

    /** The average of the threads' times. */
    private static final List<String> TIME = List.of("-bm", "avgt");

    /**
     * With more threads than CPUs: what all threads do together. A thread that had a CPU for a moment only has made few
     * operations, and its time for one would be most of the average.
     */
    private static final List<String> THROUGHPUT = List.of("-bm", "thrpt");

    /**
     * Enough for a first impression of three hundred trials in less than five minutes: most of that time JVMs are
     * starting. The warm-up is of many short iterations. With two of 125 ms the JVM compiled the loop itself only
     * during the measurement, and the first iterations measured that: the median spread of a lone thread's was 36%, and
     * is 5%.
     */
    private static final List<String> QUICK = List.of("-wi", "20", "-w", "18ms", "-i", "5");

    private static final List<String> QUICK_ITERATION = List.of("-r", "30ms");

    /**
     * Lets the JVMs of a quick run share what they have read of their classes, so that each starts about 0.12 s sooner.
     * The first one writes the file when it ends, after it has measured, and the others map it. It has no profiles in
     * it, as an AOT cache would have: each JVM compiles what it runs as it would without the file.
     */
    private static final String SHARED_CLASSES = "-XX:+AutoCreateSharedArchive";

    private static final String SHARED_CLASSES_FILE = "-XX:SharedArchiveFile=";

    /** With more threads than CPUs, so that each thread runs several times. */
    private static final List<String> QUICK_ITERATION_OF_MANY = List.of("-r", "200ms");

    /** Which benchmarks. */
    private static final String ALL = ".*";

    /**
     * Not measured in a quick run: those whose code takes longer to be compiled than a quick trial lasts, those that
     * have not come to rest by then, and the one with the most trials, the read-write locks' mix, of whose reads and
     * writes there is a comparison each. What has not come to rest: in most JVMs of two processors, with one thread,
     * the slowest of a quick trial's iterations took over a fifth longer than the fastest.
     */
    static final List<String> LATE_MEASURED = List.of(
            "JacksonBenchmark\\.",
            "Jackson3Benchmark\\.",
            "OpenTelemetry",
            "PrometheusScrape",
            "CounterArrayBenchmark\\.\\w+Sums$",
            "CounterArrayBenchmark\\.\\w+Gets$",
            "HistogramSnapshotBenchmark\\.",
            "PoolBenchmark\\.(concurrentLinkedQueue|jacksonConcurrentDeque|jacksonLockFree)$",
            "PoolBenchmarkVirtualThreads\\.",
            "PrometheusBenchmark\\.\\w+LookUp$",
            "ReadWriteMixBenchmark\\.");

    /** The structures that a program is likely to want, each beside its peers. */
    static final List<String> MAIN = List.of(
            "CounterBenchmark",
            "CounterBenchmarkSeveral",
            "EventBenchmark",
            "EventBenchmarkSeveral",
            "GuardedUpdateBenchmark",
            "HistogramBenchmark",
            "PoolBenchmark",
            "ReadLockBenchmark",
            "RefBenchmark");

    /** JMH makes the threads of a fork as this option of the fork's JVM says. */
    private static final String VIRTUAL = "-Djmh.executor=VIRTUAL";

    /** How many virtual threads run at a time. */
    private static final String CARRIERS = "-Djdk.virtualThreadScheduler.parallelism=";

    /** A class of the benchmarks' makes them. */
    private static final List<String> PLATFORM =
            List.of("-Djmh.executor=CUSTOM", "-Djmh.executor.class=dev.percpu.benchmarks.PlatformThreads");

    /** They are beside every comparison, so that each has them in its own run. */
    private static final String COMMON_FLOORS = "FloorBenchmark";

    private static final String NAMES_FOLLOW = "Benchmarks:";
    private static final String ROLES_FOLLOW = "Roles:";

    private static final int LINES_OF_A_FAILURE = 12;

    private final List<String> java;
    private final BackEnd backEnd;

    /**
     * Prepares to run a jar.
     *
     * @param backEnd what the JVMs that measure are to use
     * @throws CliException if there is no such jar
     */
    public Jmh(Path jar, BackEnd backEnd) {
        this.backEnd = backEnd;
        if (!Files.isRegularFile(jar)) {
            throw new CliException("the benchmarks are not built: there is no " + Messages.printable(jar)
                    + "; \"./percpu bench\" builds it");
        }
        java = new ArrayList<>();
        java.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        java.addAll(backEnd.jvmOptions());
        java.add("-jar");
        java.add(jar.toString());
    }

    /**
     * How long each benchmark is measured.
     *
     * @param quick for a short time only, and in one JVM unless the number of forks says otherwise
     * @param forks in how many JVMs, one after the other; 0 leaves it to the benchmark
     */
    public record Effort(boolean quick, int forks) {
        private List<String> options(boolean oversubscribed) {
            List<String> options = new ArrayList<>(oversubscribed ? THROUGHPUT : TIME);
            if (quick) {
                options.addAll(QUICK);
                options.addAll(oversubscribed ? QUICK_ITERATION_OF_MANY : QUICK_ITERATION);
            }
            if (forks > 0) {
                options.addAll(List.of("-f", Integer.toString(forks)));
            } else if (quick) {
                options.addAll(List.of("-f", "1"));
            }
            return options;
        }
    }

    /**
     * Which benchmarks are measured if nobody names them, as a regular expression.
     *
     * @param main those of the main structures alone
     */
    public static String selection(boolean quick, boolean main) {
        return (quick ? "^(?!.*\\.(" + String.join("|", LATE_MEASURED) + "))" : "")
                + (main ? ".*\\.(" + String.join("|", MAIN) + ")\\." : ALL);
    }

    /** The names of the benchmarks that a regular expression is found in. */
    public List<String> list(String regex) {
        return linesAfter(NAMES_FOLLOW, List.of("-l", regex)).stream()
                .map(String::strip)
                .filter(line -> !line.isEmpty())
                .toList();
    }

    /** What each of them is in its comparison. */
    public Roles roles() {
        return Roles.parse(linesAfter(ROLES_FOLLOW, List.of("--roles")));
    }

    /**
     * Measures what is no time of an operation.
     *
     * @param charts a regular expression that the titles of the charts have in them
     * @param others takes each line that is printed besides
     * @throws CliException without native access, which the jar's manifest grants
     */
    public Curves curves(Pattern charts, Run run, Consumer<String> others) {
        if (!backEnd.callsC()) {
            throw new CliException("the curves cannot be measured without native access");
        }
        List<String> curves = new ArrayList<>();
        Consumer<String> apart = line -> (line.contains("\t") ? (Consumer<String>) curves::add : others).accept(line);
        run(List.of("--curves", charts.pattern()), apart);
        return Curves.parse(curves, run);
    }

    /** What is printed after a header. The JVM may print something before it, about its options. */
    private List<String> linesAfter(String header, List<String> options) {
        List<String> lines = new ArrayList<>();
        run(options, lines::add);
        int found = lines.stream().map(String::strip).toList().indexOf(header);
        if (found < 0) {
            throw new CliException("the benchmarks cannot be listed: " + String.join(" ", lines));
        }
        return lines.subList(found + 1, lines.size());
    }

    /**
     * Measures.
     *
     * @param regex which benchmarks, besides the floors that all have in common
     * @param roles what each of them is
     * @param arrangement by which threads
     * @param effort how long
     * @param lines takes each line that JMH prints
     * @return the array that JMH writes as JSON
     */
    public JsonArray measure(
            String regex, Roles roles, Arrangement arrangement, Effort effort, Consumer<String> lines) {
        try {
            Path directory = Files.createTempDirectory("percpu-bench");
            Path results = directory.resolve("results.json");
            Path classes = directory.resolve("classes.jsa");
            // If this JVM is told to end while JMH is running; the last one first.
            Stream.of(directory, results, classes).map(Path::toFile).forEach(File::deleteOnExit);
            try {
                List<String> options = new ArrayList<>(MEASUREMENT);
                options.addAll(effort.options(
                        arrangement.threads() > Runtime.getRuntime().availableProcessors()));
                // This replaces what the benchmarks ask for themselves.
                options.addAll(List.of("-jvmArgsAppend", String.join(" ", forkOptions(arrangement, effort, classes))));
                options.addAll(List.of("-t", Integer.toString(arrangement.threads())));
                options.addAll(List.of("-rf", "json", "-rff", results.toString()));
                if (backEnd.callsC()) {
                    options.add(COMMON_FLOORS);
                } else {
                    options.addAll(List.of("-e", String.join(",", roles.floors())));
                }
                options.add(regex);
                run(options, lines);
                return JsonParser.parseString(Files.readString(results)).getAsJsonArray();
            } finally {
                // Without an exception, which would hide one of JMH's. What is left is deleted when this JVM ends.
                for (Path file : List.of(results, classes, directory)) {
                    boolean _ = file.toFile().delete();
                }
            }
        } catch (IOException e) {
            throw new CliException("JMH's results cannot be kept in a temporary file: " + Messages.reason(e), e);
        } catch (JsonParseException | IllegalStateException e) {
            throw new CliException("JMH wrote no JSON array of results: " + e.getMessage(), e);
        }
    }

    private List<String> forkOptions(Arrangement arrangement, Effort effort, Path classes) {
        List<String> options = new ArrayList<>(backEnd.jvmOptions());
        // JMH separates options at blanks.
        if (effort.quick && !classes.toString().contains(" ")) {
            options.addAll(List.of(SHARED_CLASSES, SHARED_CLASSES_FILE + classes));
        }
        options.addAll(arrangement.virtual() ? virtualThreads(arrangement.threads()) : PLATFORM);
        return options;
    }

    /**
     * With a carrier for each. A virtual thread that measures gives up its carrier only when the iteration is over. If
     * others waited for that carrier, they would make one operation after that, and tell its time, and JMH would wait
     * for ever.
     */
    private static List<String> virtualThreads(int number) {
        return List.of(VIRTUAL, CARRIERS + Math.max(number, Runtime.getRuntime().availableProcessors()));
    }

    private void run(List<String> options, Consumer<String> lines) {
        List<String> command = new ArrayList<>(java);
        command.addAll(options);
        Deque<String> end = new ArrayDeque<>();
        int status;
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            // If this JVM is told to end, JMH and the JVM in which it measures shall not go on without it.
            Thread atExit = new Thread(() -> destroy(process));
            Runtime.getRuntime().addShutdownHook(atExit);
            process.getOutputStream().close();
            try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
                for (String line = output.readLine(); line != null; line = output.readLine()) {
                    lines.accept(line);
                    keep(line, end);
                }
            }
            status = process.waitFor();
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IOException e) {
            throw new CliException("JMH cannot be run: " + Messages.reason(e), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted while JMH was running", e);
        }
        if (status != 0) {
            throw new CliException("JMH ended with status " + status + "; its last lines: " + String.join(" | ", end));
        }
    }

    private static void keep(String line, Deque<String> end) {
        if (!line.isBlank()) {
            end.addLast(line.strip());
        }
        if (end.size() > LINES_OF_A_FAILURE) {
            end.removeFirst();
        }
    }

    private static void destroy(Process process) {
        process.descendants().forEach(ProcessHandle::destroy);
        process.destroy();
    }
}
