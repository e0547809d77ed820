package dev.percpu.cli.top;

import dev.percpu.cli.output.Messages;
import dev.percpu.cli.output.TextTable;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What {@code top} prints for people: a table with a row for each value. */
public final class TopText {
    /** More columns do not fit on a line. */
    private static final int MOST_CPUS = 4;

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
        List<Integer> cpus = busyCpus(now);
        List<Integer> shown = cpus.subList(0, Math.min(cpus.size(), MOST_CPUS));
        TextTable table = new TextTable(header(shown));
        rates.rows().forEach(row -> table.add(cells(row, shown)));
        table.print(out);
        if (shown.size() < cpus.size()) {
            out.println((cpus.size() - shown.size()) + " more CPUs have values: --json prints all");
        }
    }

    /** The CPUs on which any value has a part that is not 0. */
    private static List<Integer> busyCpus(Reading reading) {
        BitSet busy = new BitSet();
        for (Reading.Value value : reading.values()) {
            for (int cpu = 0; value.cumulative() && cpu < value.perCpu().size(); cpu++) {
                if (value.perCpu().get(cpu).doubleValue() != 0) {
                    busy.set(cpu);
                }
            }
        }
        return busy.stream().boxed().toList();
    }

    private static String[] header(List<Integer> cpus) {
        List<String> header = new ArrayList<>(List.of("variable", "value", "total", "per second"));
        for (int cpu : cpus) {
            header.add("CPU " + cpu);
            header.add("per second");
        }
        header.add("elsewhere");
        header.add("per second");
        return header.toArray(String[]::new);
    }

    private static String[] cells(Rates.Row row, List<Integer> cpus) {
        Reading.Value value = row.value();
        List<String> cells = new ArrayList<>();
        cells.add(Messages.printable(value.variable()));
        cells.add(value.name());
        cells.add(number(value.total()));
        cells.add(numberOrNone(row.perSecond()));
        for (int cpu : cpus) {
            cells.add(cpu < value.perCpu().size() ? number(value.perCpu().get(cpu)) : NONE);
            cells.add(
                    cpu < row.perCpuPerSecond().size()
                            ? number(row.perCpuPerSecond().get(cpu))
                            : NONE);
        }
        cells.add(value.perCpu().isEmpty() ? NONE : number(value.elsewhere()));
        cells.add(value.perCpu().isEmpty() ? NONE : numberOrNone(row.elsewherePerSecond()));
        return cells.toArray(String[]::new);
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
