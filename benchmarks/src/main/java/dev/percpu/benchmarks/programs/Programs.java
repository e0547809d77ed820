package dev.percpu.benchmarks.programs;

import dev.percpu.benchmarks.measure.Child;
import dev.percpu.benchmarks.measure.Curve;
import dev.percpu.benchmarks.measure.Spread;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;

/**
 * Measures whole programs, each with several parts in turn. Each run has a JVM of its own, so that no part profits from
 * what the JIT compiler learned of another. The order is reversed with each round. What is printed are medians of all
 * rounds, with the least and the greatest.
 */
public final class Programs {
    private static final int ROUNDS = 5;

    /** For each run: five programs with all their parts, five times, take long enough. */
    private static final Duration MEASURED = Duration.ofSeconds(2);

    /** The JIT compiler needs up to about ten, beside a program that has all CPUs. */
    private static final Duration LONGEST_WARM_UP = Duration.ofSeconds(15);

    static final List<Program> PROGRAMS = List.of(
            new CacheProgram(false),
            new CacheProgram(true),
            new JsonProgram(false),
            new JsonProgram(true),
            new ServerProgram());

    private Programs() {}

    /** Measures the programs with such titles, and prints a line for each of their parts. */
    public static void printCurves(Predicate<String> titles, PrintStream out) throws Exception {
        for (Program program : PROGRAMS) {
            if (titles.test(program.title())) {
                measure(program)
                        .forEach((variant, runs) -> out.println(
                                new Curve(program.title(), "", "part", program.role(variant), variant, columns(runs))));
            }
        }
    }

    private static Map<String, List<Result>> measure(Program program) throws Exception {
        Map<String, List<Result>> results = new LinkedHashMap<>();
        for (int round = 0; round < ROUNDS; round++) {
            List<String> order =
                    round % 2 == 0 ? program.variants() : program.variants().reversed();
            for (String variant : order) {
                System.err.println(program.title() + ", round " + (round + 1) + " of " + ROUNDS + ": " + variant);
                List<String> arguments = List.of(program.title(), variant);
                results.computeIfAbsent(variant, _ -> new ArrayList<>())
                        .add(Result.parse(
                                Child.java(List.of("--enable-native-access=ALL-UNNAMED"), One.class, arguments)));
            }
        }
        return results;
    }

    /** One run, in a process of its own. */
    static final class One {
        private One() {}

        public static void main(String[] args) throws Exception {
            Program program = PROGRAMS.stream()
                    .filter(candidate -> candidate.title().equals(args[0]))
                    .findFirst()
                    .orElseThrow();
            System.out.println(
                    program.run(args[1], new Timing(LONGEST_WARM_UP, MEASURED)).line());
        }
    }

    /** What the tables show, from left to right. */
    static SequencedMap<String, Spread> columns(List<Result> runs) {
        SequencedMap<String, Spread> columns = new LinkedHashMap<>();
        columns.put("1,000 in a second", spread(runs, run -> run.perSecond() / 1e3));
        columns.put("median, us", spread(runs, run -> run.medianNanos() / 1e3));
        columns.put("99%, us", spread(runs, run -> run.p99Nanos() / 1e3));
        return columns;
    }

    private static Spread spread(List<Result> runs, ToDoubleFunction<Result> number) {
        return Spread.of(runs.stream().map(number::applyAsDouble).toList());
    }
}
