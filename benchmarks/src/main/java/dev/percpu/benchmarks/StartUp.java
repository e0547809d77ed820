package dev.percpu.benchmarks;

import dev.percpu.benchmarks.measure.Child;
import dev.percpu.benchmarks.measure.Curve;
import dev.percpu.benchmarks.measure.Role;
import dev.percpu.benchmarks.measure.Spread;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/**
 * How long does the first use of something take in a fresh JVM, without and with an AOT cache? JMH cannot measure that:
 * in its JVMs too much is loaded already.
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar --curves Start-up
 * </pre>
 *
 * <p>Each round starts a JVM for each kind, without the cache and with it, one after the other. So what disturbs the
 * machine for a while disturbs all of them. The cache is made first, by a run that uses everything once.
 */
final class StartUp {
    static final String CHART = "Start-up";

    private static final int ROUNDS = 15;

    private static final double NANOS_PER_MILLI = 1e6;

    private static final String NATIVE_ACCESS = "--enable-native-access=ALL-UNNAMED";

    /** What is used first. */
    enum Kind {
        NOTHING("nothing"),
        CALL("a critical call of `getpid`, by the JDK alone"),
        COUNTER("`PerCpuCounter`: make, increment, sum"),
        GUARD("`CpuGuard`: acquire, close"),
        HISTOGRAM("`PerCpuHistogram`: make, record"),
        EVENT("`PerCpuEvent` of two counters: make, record"),
        POOL("`PerCpuPool`: make, acquire, release, close"),
        LOCK("`PerCpuReadWriteLock`: make, lock and unlock for reading");

        private final String label;

        Kind(String label) {
            this.label = label;
        }

        /** What the JDK needs for it, without this library, is the least that anybody pays. */
        private Role.Kind role() {
            return this == NOTHING || this == CALL ? Role.Kind.FLOOR : Role.Kind.OURS;
        }

        List<String> arguments() {
            return this == NOTHING ? List.of() : List.of(name().toLowerCase(Locale.ROOT));
        }
    }

    /**
     * One JVM.
     *
     * @param use the nanoseconds from the start of the program to the end of the first use
     * @param jvm the nanoseconds from before the process was started until it had ended
     */
    private record Run(long use, long jvm) {}

    /** All runs of a kind. */
    private record Runs(List<Run> plain, List<Run> cached) {
        private Runs() {
            this(new ArrayList<>(), new ArrayList<>());
        }
    }

    private StartUp() {}

    /** Measures, and prints a line for each first use: medians in milliseconds. */
    static void printCurves(PrintStream out) throws IOException, InterruptedException {
        measure().forEach((kind, runs) -> {
            SequencedMap<String, Spread> millis = new LinkedHashMap<>();
            millis.put("the use", spread(runs.plain, Run::use));
            millis.put("the use, AOT cache", spread(runs.cached, Run::use));
            millis.put("the JVM", spread(runs.plain, Run::jvm));
            millis.put("the JVM, AOT cache", spread(runs.cached, Run::jvm));
            out.println(new Curve(CHART, "ms", "first use in a fresh JVM", kind.role(), kind.label, millis));
        });
    }

    private static Spread spread(List<Run> runs, ToLongFunction<Run> nanos) {
        return Spread.of(runs.stream()
                .map(run -> nanos.applyAsLong(run) / NANOS_PER_MILLI)
                .toList());
    }

    private static Map<Kind, Runs> measure() throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("percpu-start-up");
        Path cache = directory.resolve("first-use.aot");
        // What the JVM that makes the cache writes it from, and deletes afterwards.
        Path recorded = directory.resolve("first-use.aot.config");
        // If a signal ends this JVM; the last one first.
        Stream.of(directory, cache, recorded).map(Path::toFile).forEach(File::deleteOnExit);
        try {
            String[] everything = Stream.of(Kind.values())
                    .flatMap(kind -> kind.arguments().stream())
                    .toArray(String[]::new);
            Run _ = run(List.of("-XX:AOTCacheOutput=" + cache), everything);
            return measure(cache);
        } finally {
            // Without an exception, which would hide another one. What is left is deleted when this JVM ends.
            for (Path file : List.of(cache, directory)) {
                boolean _ = file.toFile().delete();
            }
        }
    }

    private static Map<Kind, Runs> measure(Path cache) throws IOException, InterruptedException {
        Map<Kind, Runs> runs = new EnumMap<>(Kind.class);
        for (int round = 0; round < ROUNDS; round++) {
            for (Kind kind : Kind.values()) {
                String[] arguments = kind.arguments().toArray(String[]::new);
                Runs ofKind = runs.computeIfAbsent(kind, _ -> new Runs());
                ofKind.plain.add(run(List.of(), arguments));
                // Without the cache, the JVM would go on as if none had been asked for.
                ofKind.cached.add(run(List.of("-XX:AOTCache=" + cache, "-XX:AOTMode=on"), arguments));
            }
        }
        return runs;
    }

    private static Run run(List<String> options, String... arguments) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(options);
        all.add(NATIVE_ACCESS);
        long start = System.nanoTime();
        String output = Child.java(all, FirstUse.class, List.of(arguments));
        long jvm = System.nanoTime() - start;
        // The first line: the run that makes the cache prints more.
        return new Run(Long.parseLong(output.lines().findFirst().orElseThrow().strip()), jvm);
    }
}
