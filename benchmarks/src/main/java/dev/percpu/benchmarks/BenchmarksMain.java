package dev.percpu.benchmarks;

import dev.percpu.benchmarks.measure.Curve;
import dev.percpu.benchmarks.measure.Role;
import dev.percpu.benchmarks.programs.Programs;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * JMH with its own command line, and options of its own. {@code --roles} prints the {@link Role} of each benchmark.
 * {@code --curves REGEX} measures what JMH cannot: each {@link Curve} whose chart's title has the regular expression in
 * it. What JMH measures is {@linkplain Exactness checked for lost updates}. Where the {@linkplain SequenceInC sequence
 * in C} cannot be measured, it is left out, and a line says so.
 */
public final class BenchmarksMain {
    private BenchmarksMain() {}

    public static void main(String[] args) throws Exception {
        if (args.length == 1 && args[0].equals("--roles")) {
            Roles.print(System.out);
        } else if (args.length == 2 && args[0].equals("--curves")) {
            printCurves(Pattern.compile(args[1]).asPredicate());
        } else {
            List<String> options = new ArrayList<>(List.of("-prof", Exactness.class.getName()));
            SequenceInC.obstacle().ifPresent(obstacle -> {
                System.out.println("Left out: the sequence in C. " + obstacle);
                options.addAll(List.of("-e", SequenceInC.BENCHMARKS));
            });
            options.addAll(List.of(args));
            org.openjdk.jmh.Main.main(options.toArray(String[]::new));
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
        Programs.printCurves(charts, System.out);
    }
}
