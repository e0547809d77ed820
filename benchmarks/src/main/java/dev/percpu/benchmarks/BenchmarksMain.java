package dev.percpu.benchmarks;

import dev.percpu.benchmarks.programs.ProgramsMain;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * JMH with its own command line, and options of its own. {@code --roles} prints the {@link Role} of each benchmark.
 * {@code --curves REGEX} measures what JMH cannot: each {@link Curve} whose chart's title has the regular expression in
 * it. {@code --start-up} measures {@link StartUp}, with its options. What JMH measures is {@linkplain Exactness checked
 * for lost updates}.
 */
public final class BenchmarksMain {
    private BenchmarksMain() {}

    public static void main(String[] args) throws Exception {
        if (args.length == 1 && args[0].equals("--roles")) {
            Roles.print(System.out);
        } else if (args.length == 2 && args[0].equals("--curves")) {
            printCurves(Pattern.compile(args[1]).asPredicate());
        } else if (args.length > 0 && args[0].equals("--start-up")) {
            StartUp.print(System.out, List.of(args).subList(1, args.length));
        } else {
            org.openjdk.jmh.Main.main(Stream.concat(Stream.of("-prof", Exactness.class.getName()), Stream.of(args))
                    .toArray(String[]::new));
        }
    }

    private static void printCurves(Predicate<String> charts) throws Exception {
        if (charts.test(MemoryUse.CHART)) {
            MemoryUse.print(System.out);
        }
        if (charts.test(ManyThreads.CHART)) {
            ManyThreads.print(System.out);
        }
        if (charts.test(CacheLine.CHART)) {
            CacheLine.print(System.out);
        }
        if (charts.test(StartUp.CHART)) {
            StartUp.printCurves(System.out);
        }
        ProgramsMain.printCurves(charts, System.out);
    }
}
