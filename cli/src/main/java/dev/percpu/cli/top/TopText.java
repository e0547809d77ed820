package dev.percpu.cli.top;

import dev.percpu.cli.output.Messages;
import dev.percpu.cli.output.TextTable;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What {@code top} prints for people: a table with a row for each value. */
public final class TopText {
    /** More columns do not fit on a line. */
    private static final int MOST_CPUS = 4;

    /** Of each row, where more CPUs have values: their columns are wider. */
    private static final int MOST_BUSIEST = 3;

    /** The process, an empty line, and the header. */
    private static final int LINES_BESIDE_ROWS = 3;

    /** A longer name is cut off. */
    private static final int WIDEST_NAME = 50;

    /** From here on, the digits say less than the exponent. */
    private static final double LARGE = 1e15;

    private static final String NONE = "-";

    private TopText() {}

    /**
     * Prints the values, and how fast they grow.
     *
     * @param most how many lines there is room for. If there are more, the variables with the highest rates come first,
     *     and the last line says how many values are left out. At least one is shown
     */
    public static void print(long pid, Rates rates, int most, PrintWriter out) {
        Reading now = rates.now();
        out.printf(
                Locale.ROOT,
                "Process %d: back end %s, %,d of %,d bytes used in each CPU's place, %d of %d own places taken%n",
                pid,
                now.backend(),
                now.area().usedBytesPerCpu(),
                now.area().stride(),
                now.ownPlaces().taken(),
                now.ownPlaces().most());
        now.owners()
                .forEach(owner -> out.println(
                        "Guard of CPU " + owner.cpu() + " held by " + Messages.printable(owner.description())));
        now.failures().forEach(failure -> out.println("Could not be read: " + Messages.printable(failure)));
        out.println();
        BitSet busy = new BitSet();
        now.values().forEach(value -> busy.or(busyCpus(value)));
        boolean ranked = busy.cardinality() > MOST_CPUS;
        int others = LINES_BESIDE_ROWS + now.owners().size() + now.failures().size() + (ranked ? 1 : 0);
        List<Rates.Row> all = rates.rows();
        List<Rates.Row> rows = all.size() <= most - others ? all : busiest(all, Math.max(1, most - others - 1));
        if (ranked) {
            byRank(rows).print(out);
            out.printf(
                    "%d CPUs have values. Each row has those of its own whose rates are highest; --json prints all%n",
                    busy.cardinality());
        } else {
            byCpu(rows, busy.stream().boxed().toList()).print(out);
        }
        if (rows.size() < all.size()) {
            out.printf("%d more values; --once and --json print all%n", all.size() - rows.size());
        }
    }

    /** The rows of the variables whose rates are highest. Those of one variable stay together. */
    private static List<Rates.Row> busiest(List<Rates.Row> rows, int most) {
        Map<Long, List<Rates.Row>> byVariable = new LinkedHashMap<>();
        for (Rates.Row row : rows) {
            byVariable
                    .computeIfAbsent(row.value().serial(), _ -> new ArrayList<>())
                    .add(row);
        }
        return byVariable.values().stream()
                .sorted(Comparator.comparingDouble((List<Rates.Row> variable) -> -rate(variable)))
                .flatMap(List::stream)
                .limit(most)
                .toList();
    }

    /** What variables are ordered by: of several values, such as a histogram's, the first that has a rate counts. */
    private static double rate(List<Rates.Row> variable) {
        for (Rates.Row row : variable) {
            Double rate = row.perSecond();
            if (rate != null) {
                return Math.abs(rate);
            }
        }
        return -1;
    }

    /** The CPUs whose parts tell of updates there. */
    private static BitSet busyCpus(Reading.Value value) {
        BitSet busy = new BitSet();
        for (int cpu = 0; cpu < value.perCpu().size(); cpu++) {
            double part = value.perCpu().get(cpu).doubleValue();
            // An accumulator begins with its identity, which also lies elsewhere.
            if (part != 0 && (value.cumulative() || part != value.elsewhere().doubleValue())) {
                busy.set(cpu);
            }
        }
        return busy;
    }

    /** A column for each CPU. */
    private static TextTable byCpu(List<Rates.Row> rows, List<Integer> cpus) {
        List<String> header = new ArrayList<>(List.of("variable", "value", "total", "per second"));
        for (int cpu : cpus) {
            header.add("CPU " + cpu);
            header.add("per second");
        }
        header.addAll(List.of("elsewhere", "per second"));
        TextTable table = new TextTable(header.toArray(String[]::new));
        for (Rates.Row row : rows) {
            List<String> cells = total(row);
            for (int cpu : cpus) {
                cells.add(part(row, cpu));
                cells.add(rate(row, cpu));
            }
            cells.addAll(elsewhere(row));
            table.add(cells.toArray(String[]::new));
        }
        return table;
    }

    /** For more CPUs than there is room for: each row has its own busiest ones, and how many there are. */
    private static TextTable byRank(List<Rates.Row> rows) {
        List<String> header = new ArrayList<>(
                List.of("variable", "value", "total", "per second", "elsewhere", "per second", "CPUs", "busiest"));
        for (int rank = 1; rank < MOST_BUSIEST; rank++) {
            header.addAll(List.of("per second", "next"));
        }
        header.add("per second");
        TextTable table = new TextTable(header.toArray(String[]::new));
        for (Rates.Row row : rows) {
            List<Integer> busiest = busyCpus(row.value()).stream()
                    .boxed()
                    .sorted(Comparator.comparingDouble((Integer cpu) -> -weight(row, cpu)))
                    .toList();
            List<String> cells = total(row);
            cells.addAll(elsewhere(row));
            cells.add(row.value().perCpu().isEmpty() ? NONE : Integer.toString(busiest.size()));
            for (int rank = 0; rank < MOST_BUSIEST; rank++) {
                boolean exists = rank < busiest.size();
                cells.add(exists ? "CPU " + busiest.get(rank) + ": " + part(row, busiest.get(rank)) : NONE);
                cells.add(exists ? rate(row, busiest.get(rank)) : NONE);
            }
            table.add(cells.toArray(String[]::new));
        }
        return table;
    }

    /** What the CPUs of a row are ordered by: their rates, or their parts while there are none. */
    private static double weight(Rates.Row row, int cpu) {
        List<? extends Number> of =
                row.perCpuPerSecond().isEmpty() ? row.value().perCpu() : row.perCpuPerSecond();
        return Math.abs(of.get(cpu).doubleValue());
    }

    private static List<String> total(Rates.Row row) {
        Reading.Value value = row.value();
        return new ArrayList<>(List.of(
                shortened(value.variable()),
                shortened(value.name()),
                number(value.total()),
                numberOrNone(row.perSecond())));
    }

    private static List<String> elsewhere(Rates.Row row) {
        return row.value().perCpu().isEmpty()
                ? List.of(NONE, NONE)
                : List.of(number(row.value().elsewhere()), numberOrNone(row.elsewherePerSecond()));
    }

    private static String part(Rates.Row row, int cpu) {
        List<? extends Number> parts = row.value().perCpu();
        return cpu < parts.size() ? number(parts.get(cpu)) : NONE;
    }

    private static String rate(Rates.Row row, int cpu) {
        return cpu < row.perCpuPerSecond().size() ? number(row.perCpuPerSecond().get(cpu)) : NONE;
    }

    private static String numberOrNone(@Nullable Double number) {
        return number == null ? NONE : number(number);
    }

    private static String shortened(String name) {
        return name.codePointCount(0, name.length()) <= WIDEST_NAME
                ? name
                : name.substring(0, name.offsetByCodePoints(0, WIDEST_NAME - 1)) + "\u2026";
    }

    private static String number(Number number) {
        if (!(number instanceof Double real)) {
            return String.format(Locale.ROOT, "%,d", number.longValue());
        }
        double size = Math.abs(real);
        boolean usual = size == 0 || (size >= 1 && size < LARGE) || Double.isNaN(size);
        return String.format(Locale.ROOT, usual ? "%,.1f" : "%.3g", real);
    }
}
