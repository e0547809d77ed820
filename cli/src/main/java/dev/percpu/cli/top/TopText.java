package dev.percpu.cli.top;

import dev.percpu.cli.output.Messages;
import dev.percpu.cli.output.TextTable;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What {@code top} prints for people: a table with a row for each value. */
public final class TopText {
    /** More columns do not fit on a line. */
    private static final int MOST_CPUS = 4;

    /** Of each row, where more CPUs have values: their columns are wider. */
    private static final int MOST_BUSIEST = 3;

    private static final String NONE = "-";

    private TopText() {}

    /** Prints the values, and how fast they grow. */
    public static void print(long pid, Rates rates, PrintWriter out) {
        Reading now = rates.now();
        out.printf(
                Locale.ROOT,
                "Process %d: back end %s, %,d of %,d bytes used in each CPU's place%n",
                pid,
                now.backend(),
                now.area().usedBytesPerCpu(),
                now.area().stride());
        now.owners()
                .forEach(owner -> out.println(
                        "Guard of CPU " + owner.cpu() + " held by " + Messages.printable(owner.description())));
        now.failures().forEach(failure -> out.println("Could not be read: " + Messages.printable(failure)));
        out.println();
        BitSet busy = new BitSet();
        now.values().forEach(value -> busy.or(busyCpus(value)));
        if (busy.cardinality() <= MOST_CPUS) {
            byCpu(rates, busy.stream().boxed().toList()).print(out);
        } else {
            byRank(rates).print(out);
            out.printf(
                    "%d CPUs have values. Each row has those of its own whose rates are highest; --json prints all%n",
                    busy.cardinality());
        }
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
    private static TextTable byCpu(Rates rates, List<Integer> cpus) {
        List<String> header = new ArrayList<>(List.of("variable", "value", "total", "per second"));
        for (int cpu : cpus) {
            header.add("CPU " + cpu);
            header.add("per second");
        }
        header.addAll(List.of("elsewhere", "per second"));
        TextTable table = new TextTable(header.toArray(String[]::new));
        for (Rates.Row row : rates.rows()) {
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
    private static TextTable byRank(Rates rates) {
        List<String> header = new ArrayList<>(
                List.of("variable", "value", "total", "per second", "elsewhere", "per second", "CPUs", "busiest"));
        for (int rank = 1; rank < MOST_BUSIEST; rank++) {
            header.addAll(List.of("per second", "next"));
        }
        header.add("per second");
        TextTable table = new TextTable(header.toArray(String[]::new));
        for (Rates.Row row : rates.rows()) {
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
                Messages.printable(value.variable()),
                Messages.printable(value.name()),
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

    private static String number(Number number) {
        return number instanceof Double real
                ? String.format(Locale.ROOT, "%,.1f", real)
                : String.format(Locale.ROOT, "%,d", number.longValue());
    }
}
