package dev.percpu.benchmarks.programs;

import dev.percpu.benchmarks.measure.Child;
import dev.percpu.benchmarks.measure.Curve;
import dev.percpu.benchmarks.measure.Spread;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * Measures whole programs, each with several parts in turn: {@code ./percpu programs}. Each run has a JVM of its own,
 * so that no part profits from what the JIT compiler learned of another. The order is reversed with each round. What is
 * printed are medians of all rounds, with the least and the greatest.
 */
public final class ProgramsMain {
    private static final int ROUNDS = 5;
    private static final int SECONDS = 4;

    /** For figures that are kept: five programs with all their parts, five times, take long enough. */
    private static final int SHORT_SECONDS = 2;

    /** The JIT compiler needs up to about ten, beside a program that has all CPUs. */
    private static final Duration LONGEST_WARM_UP = Duration.ofSeconds(15);

    private static final List<Program> PROGRAMS = List.of(
            new CacheProgram(false),
            new CacheProgram(true),
            new JsonProgram(false),
            new JsonProgram(true),
            new ServerProgram());

    private ProgramsMain() {}

    /**
     * Runs the programs whose titles begin with the first argument, or all.
     *
     * @param args a title, a number of rounds, and how many seconds a run measures
     */
    public static void main(String[] args) throws Exception {
        String title = args.length > 0 ? args[0] : "";
        List<Program> chosen = PROGRAMS.stream()
                .filter(program -> program.title().startsWith(title))
                .toList();
        if (chosen.isEmpty()) {
            System.err.println("percpu: no program has a title that begins with \"" + title + "\"; there are: "
                    + String.join("; ", PROGRAMS.stream().map(Program::title).toList()));
            System.exit(2);
        }
        // The script has looked whether these are numbers, and how large.
        int rounds = args.length > 1 ? Integer.parseInt(args[1]) : ROUNDS;
        int seconds = args.length > 2 ? Integer.parseInt(args[2]) : SECONDS;
        for (Program program : chosen) {
            print(program, measure(program, rounds, seconds), System.out);
        }
    }

    private static Map<String, List<Result>> measure(Program program, int rounds, int seconds) throws Exception {
        Map<String, List<Result>> results = new LinkedHashMap<>();
        for (int round = 0; round < rounds; round++) {
            List<String> order =
                    round % 2 == 0 ? program.variants() : program.variants().reversed();
            for (String variant : order) {
                System.err.println(program.title() + ", round " + (round + 1) + " of " + rounds + ": " + variant);
                List<String> arguments = List.of(program.title(), variant, Integer.toString(seconds));
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
            Result result =
                    program.run(args[1], new Timing(LONGEST_WARM_UP, Duration.ofSeconds(Integer.parseInt(args[2]))));
            System.out.println(result.line());
        }
    }

    /** Measures the programs with such titles, and prints a line for each of their parts. */
    public static void printCurves(Predicate<String> titles, PrintStream out) throws Exception {
        for (Program program : PROGRAMS) {
            if (titles.test(program.title())) {
                measure(program, ROUNDS, SHORT_SECONDS)
                        .forEach((variant, runs) -> out.println(
                                new Curve(program.title(), "", "part", program.role(variant), variant, columns(runs))));
            }
        }
    }

    /** What the tables show, from left to right. */
    private static SequencedMap<String, Spread> columns(List<Result> runs) {
        SequencedMap<String, Spread> columns = new LinkedHashMap<>();
        columns.put("1,000 in a second", spread(runs, run -> run.perSecond() / 1e3));
        columns.put("median, us", spread(runs, run -> run.medianNanos() / 1e3));
        columns.put("99%, us", spread(runs, run -> run.p99Nanos() / 1e3));
        return columns;
    }

    private static Spread spread(List<Result> runs, ToDoubleFunction<Result> number) {
        return Spread.of(runs.stream().map(number::applyAsDouble).toList());
    }

    /** A table for people. */
    static void print(Program program, Map<String, List<Result>> results, PrintStream out) {
        out.println("**" + program.title() + "**: " + program.operation() + ".");
        out.println();
        out.println("| | 1,000 in a second | median, us | 99%, us |");
        out.println("|---|---|---|---|");
        results.forEach((variant, runs) -> out.println("| " + variant + " | "
                + columns(runs).values().stream().map(ProgramsMain::text).collect(Collectors.joining(" | "))
                + " |"));
        out.println();
    }

    private static String text(Spread spread) {
        return digits(spread.median()) + " (" + digits(spread.least()) + " to " + digits(spread.greatest()) + ")";
    }

    /** Three digits that count. */
    private static String digits(double number) {
        int decimals = number >= 100 ? 0 : number >= 10 ? 1 : 2;
        return String.format(Locale.ROOT, "%,." + decimals + "f", number);
    }
}
