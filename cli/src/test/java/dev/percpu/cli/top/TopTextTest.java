package dev.percpu.cli.top;

import static dev.percpu.cli.top.Readings.reading;
import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.management.PerCpuMXBean;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The table for people, on machines with many CPUs. */
class TopTextTest {
    private static final int CPUS = 256;

    /** Each variable here has a name of its own. */
    private static long serial(String variable) {
        return variable.hashCode();
    }

    /** A value that has the given part on each of some CPUs, and 0 on all others. */
    private static Reading.Value value(String variable, long part, int... on) {
        Long[] parts = new Long[CPUS];
        Arrays.fill(parts, 0L);
        for (int cpu : on) {
            parts[cpu] = part + cpu;
        }
        long total = Arrays.stream(parts).mapToLong(each -> each).sum();
        return new Reading.Value(serial(variable), variable, "PerCpuCounter", "value", true, total, List.of(parts), 0L);
    }

    private static List<String> print(Rates rates) {
        return print(rates, Integer.MAX_VALUE);
    }

    private static List<String> print(Rates rates, int most) {
        StringWriter out = new StringWriter();
        try (PrintWriter writer = new PrintWriter(out)) {
            TopText.print(1, rates, most, writer);
        }
        return out.toString().lines().toList();
    }

    @Test
    void eachVariableShowsItsOwnCpus() {
        Reading before = reading(0, value("low", 0, 0, 1, 2, 3), value("high", 0, 200, 255));
        Reading now = reading(1_000_000_000, value("low", 10, 0, 1, 2, 3), value("high", 1000, 200, 255));

        List<String> lines = print(new Rates(before, now));

        assertThat(lines)
                .anyMatch(line -> line.matches(
                        "low +value +46 +40\\.0 +0 +0\\.0 +4 +CPU 0: 10 +10\\.0 +CPU 1: 11 +10\\.0 +CPU 2: 12 +10\\.0"))
                .anyMatch(
                        line -> line.matches(
                                "high +value +2,455 +2,000\\.0 +0 +0\\.0 +2 +CPU 200: 1,200 +1,000\\.0 +CPU 255: 1,255 +1,000\\.0 +- +-"));
        assertThat(lines.getLast()).startsWith("6 CPUs have values.");
    }

    @Test
    void theBusiestAreThoseThatGrow() {
        Reading before = reading(0, value("much", 1_000_000, 0, 1, 2, 3, 4, 5));
        Reading now = reading(1_000_000_000, value("much", 1_000_000, 0, 1, 2, 3, 4, 5, 77));

        assertThat(print(new Rates(before, now)))
                .anyMatch(line -> line.matches("much .* 7 +CPU 77: 1,000,077 +1,000,077\\.0 +CPU \\d: .*"));
    }

    /** The others' columns are wider, so there is room for fewer. */
    @Test
    void upToFourCpusHaveAColumnEach() {
        assertThat(print(new Rates(reading(0), reading(0, value("four", 1, 0, 1, 2, 3)))))
                .hasSize(4)
                .element(2)
                .asString()
                .contains("CPU 3");
        assertThat(print(new Rates(reading(0), reading(0, value("five", 1, 0, 1, 2, 3, 4)))))
                .hasSize(5)
                .element(2)
                .asString()
                .contains("busiest");
    }

    @Test
    void aCpuThatTakesOutMuchIsBusierThanOneThatAddsLittle() {
        Reading.Value before =
                new Reading.Value(1, "mixed", "PerCpuCounter", "value", true, 60L, List.of(0L, 1L, 2L, 3L, 54L), 0L);
        Reading.Value now =
                new Reading.Value(1, "mixed", "PerCpuCounter", "value", true, 15L, List.of(1L, 2L, 3L, 4L, 5L), 0L);

        assertThat(print(new Rates(reading(0, before), reading(1_000_000_000, now))))
                .element(3)
                .asString()
                .containsPattern(" CPU 4: 5 +-49\\.0 +CPU 0: 1 ");
    }

    /** Numbers of 8 bits are no sums that grow, and yet lie on CPUs; an accumulator's identity tells of no update. */
    @Test
    void aCpuIsBusyIfThereWereUpdates() {
        List<Long> parts = List.of(0L, 5L, 0L);
        Reading.Value narrow = new Reading.Value(1, "narrow", "BYTE", "value", false, 5L, parts, 0L);
        Reading.Value maximum =
                new Reading.Value(2, "maximum", "PerCpuAccumulator", "value", false, 7L, List.of(7L, -9L, -9L), -9L);

        assertThat(print(new Rates(reading(0), reading(0, narrow, maximum))))
                .anyMatch(
                        line -> line.matches(
                                "variable +value +total +per second +CPU 0 +per second +CPU 1 +per second +elsewhere +per second"));

        // A sum begins with 0, so here it is by chance that as much lies elsewhere.
        Reading.Value sum = new Reading.Value(3, "sum", "PerCpuCounter", "value", true, 6L, List.of(0L, 0L, 3L), 3L);
        assertThat(print(new Rates(reading(0), reading(0, sum))))
                .element(2)
                .asString()
                .contains("CPU 2");
    }

    /** No CPU has a part of it, and it is not 0 elsewhere. */
    @Test
    void aValueWithoutPartsHasNone() {
        Reading.Value median = new Reading.Value(1, "median", "PerCpuHistogram", "p50", false, 7L, List.of(), 0L);

        assertThat(print(new Rates(reading(0), reading(0, median))))
                .last()
                .asString()
                .matches("median +p50 +7 +- +- +-");
        assertThat(print(new Rates(reading(0), reading(0, median, value("many", 1, 0, 1, 2, 3, 4)))))
                .element(3)
                .asString()
                .matches("median +p50 +7( +-){10}");
    }

    /** A value of a type that has several, of which the last one is the largest and grows fastest. */
    private static Reading.Value[] histogram(String name, long count) {
        return Stream.of("count", "sum", "p50")
                .map(value -> new Reading.Value(
                        serial(name),
                        name,
                        "PerCpuHistogram",
                        value,
                        !value.equals("p50"),
                        value.equals("sum") ? count * 1_000_000 : count,
                        List.of(),
                        0L))
                .toArray(Reading.Value[]::new);
    }

    private static Reading.Value[] values(long idle, long slow, long fast) {
        return Stream.of(
                        Stream.of(value("idle", idle, 0)),
                        Stream.of(histogram("slow", slow)),
                        Stream.of(value("fast", fast, 1)),
                        Stream.of(value("slower", slow / 2, 2)))
                .flatMap(each -> each)
                .toArray(Reading.Value[]::new);
    }

    @Test
    void onATerminalTheVariablesWithTheHighestRatesComeFirstAndTheRestIsCounted() {
        Rates rates = new Rates(reading(0, values(7, 0, 0)), reading(1_000_000_000, values(7, 10, 1000)));

        List<String> lines = print(rates, 8);

        assertThat(lines).hasSize(8);
        assertThat(lines.get(2)).startsWith("variable ");
        assertThat(lines.subList(3, 7))
                .extracting(line -> line.split(" +", -1)[0] + " " + line.split(" +", -1)[1])
                .containsExactly("fast value", "slow count", "slow sum", "slow p50");
        assertThat(lines.getLast()).isEqualTo("2 more values; --once and --json print all");
        assertThat(print(rates, 9)).hasSize(9).element(3).asString().startsWith("idle ");
        assertThat(print(rates, 1)).hasSize(5).element(3).asString().startsWith("fast ");
    }

    /** A variable that is new, or that is no sum, has no rate. */
    @Test
    void onATerminalVariablesWithoutARateComeLast() {
        Rates rates = new Rates(
                reading(0, value("idle", 7, 0), value("up", 7, 0), value("down", 5_007, 0)),
                reading(
                        1_000_000_000,
                        value("new", 1_000, 0),
                        value("newer", 1_000, 0),
                        value("idle", 7, 0),
                        value("up", 8, 0),
                        value("down", 7, 0)));

        assertThat(print(rates, 7).subList(3, 6))
                .extracting(line -> line.split(" +", -1)[0])
                .containsExactly("down", "up", "idle");
    }

    @Test
    void onATerminalThereAreNoMoreLinesThanFitWhateverElseIsTold() {
        Reading reading = reading(
                0,
                List.of(new PerCpuMXBean.Owner(3, "a thread \u001b[31m")),
                List.of("four\u001b[31m: java.lang.ArithmeticException"),
                value("one", 1, 0, 1, 2, 3, 4),
                value("two", 1, 0),
                value("three", 1, 0));
        Rates rates = new Rates(reading(0), reading);

        assertThat(print(rates, 8)).hasSize(8).last().isEqualTo("2 more values; --once and --json print all");
        assertThat(print(rates, 9))
                .hasSize(9)
                .startsWith(
                        "Process 1: back end rseq, 64 of 1,048,576 bytes used in each CPU's place, 3 of 16 own places taken",
                        "Guard of CPU 3 held by a thread ?[31m",
                        "Could not be read: four?[31m: java.lang.ArithmeticException",
                        "");
    }

    @Test
    void allIsPrintedTheSameInEachLocale() {
        Rates rates = new Rates(
                reading(0, value("some", 0, 0), real(0)),
                reading(
                        1_000_000_000,
                        value("some", 1_000, 0),
                        real(0.09),
                        value("few", 7, 1),
                        value("many", 7, 2, 3, 4)));
        List<String> lines = print(rates, 7);
        assertThat(lines)
                .anyMatch(line -> line.matches("some .* 1,000 +1,000\\.0 .*"))
                .anyMatch(line -> line.matches("real .* 0\\.0900 +0\\.0900 .*"))
                .anyMatch(line -> line.startsWith("5 CPUs have values."))
                .contains("2 more values; --once and --json print all");
        Locale before = Locale.getDefault(Locale.Category.FORMAT);
        Locale.setDefault(Locale.Category.FORMAT, Locale.forLanguageTag("ar-EG-u-nu-arab"));
        try {
            assertThat(print(rates, 7)).isEqualTo(lines);
        } finally {
            Locale.setDefault(Locale.Category.FORMAT, before);
        }
    }

    @Test
    void aRealNumberShowsItsFirstDigits() {
        assertThat(printed(0)).isEqualTo("0.0");
        assertThat(printed(0.09)).isEqualTo("0.0900");
        assertThat(printed(-0.00001234)).isEqualTo("-1.23e-05");
        assertThat(printed(1)).isEqualTo("1.0");
        assertThat(printed(20_142.51)).isEqualTo("20,142.5");
        assertThat(printed(Math.nextDown(1e15))).isEqualTo("999,999,999,999,999.9");
        assertThat(printed(1e15)).isEqualTo("1.00e+15");
        assertThat(printed(-Double.MAX_VALUE)).isEqualTo("-1.80e+308");
        assertThat(printed(Double.POSITIVE_INFINITY)).isEqualTo("Infinity");
        assertThat(printed(Double.NaN)).isEqualTo("NaN");
    }

    private static Reading.Value real(double total) {
        return new Reading.Value(serial("real"), "real", "PerCpuDoubleCounter", "value", true, total, List.of(), 0.0);
    }

    /** How a total is shown. */
    private static String printed(double total) {
        return print(new Rates(reading(0), reading(0, real(total)))).getLast().split(" +", -1)[2];
    }

    @Test
    void aNameIsNoWiderThanATableCanBe() {
        String name = "long ".repeat(1000);

        List<String> lines = print(new Rates(reading(0), reading(0, value(name, 1, 0), value("short", 1, 0))));

        assertThat(lines.get(3)).startsWith("long long long ").contains("\u2026  value ");
        assertThat(lines).allMatch(line -> line.length() < 150);

        // Of a name in another script, each character counts once.
        String wide = "\uD83D\uDE00".repeat(50);
        Reading.Value value = new Reading.Value(1, wide, "Histogram", wide + "d", false, 1L, List.of(), 0L);
        assertThat(print(new Rates(reading(0), reading(0, value))).getLast())
                .startsWith(wide + "  " + wide.substring(0, 2 * 49) + "\u2026  ");
    }

    @Test
    void aNameThatTurnsTheWritingAroundDoesNotReachTheTerminal() {
        assertThat(print(new Rates(reading(0), reading(0, value("a\u202eb\u2028c\u2029d", 1, 0))))
                        .getLast())
                .startsWith("a?b?c?d ");
    }
}
