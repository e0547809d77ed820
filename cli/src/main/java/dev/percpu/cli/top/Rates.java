package dev.percpu.cli.top;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Two readings of one process, and what was added in between.
 *
 * @param before null for the first reading, when there are no rates yet
 */
public record Rates(@Nullable Reading before, Reading now) {
    private static final double NANOS_PER_SECOND = 1e9;

    /**
     * A value and its rates: how much was added in a second, in total and to each part. A rate is negative if more was
     * taken out than added.
     *
     * @param value the value
     * @param perSecond the rate of the total; null if it is not known, or the value is no sum
     * @param perCpuPerSecond the rate of each CPU's part; empty if they are not known
     * @param elsewherePerSecond the rate of the part that lies on no CPU; null if it is not known
     */
    public record Row(
            Reading.Value value,
            @Nullable Double perSecond,
            List<Double> perCpuPerSecond,
            @Nullable Double elsewherePerSecond) {}

    /** All values, in the order of the listing. */
    public List<Row> rows() {
        // Of variables with the same name and type, the first one is compared with the first one. If there are fewer or
        // more of them than before, nobody knows which of them is which.
        Map<List<String>, Deque<Reading.Value>> earlier = before == null ? new HashMap<>() : byKey(before);
        byKey(now).forEach((key, values) -> {
            if (earlier.getOrDefault(key, new ArrayDeque<>()).size() != values.size()) {
                earlier.remove(key);
            }
        });
        List<Row> rows = new ArrayList<>();
        for (Reading.Value value : now.values()) {
            Deque<Reading.Value> same = earlier.get(key(value));
            rows.add(row(value, same == null ? null : same.removeFirst()));
        }
        return rows;
    }

    private static Map<List<String>, Deque<Reading.Value>> byKey(Reading reading) {
        Map<List<String>, Deque<Reading.Value>> values = new HashMap<>();
        for (Reading.Value value : reading.values()) {
            values.computeIfAbsent(key(value), _ -> new ArrayDeque<>()).add(value);
        }
        return values;
    }

    private static List<String> key(Reading.Value value) {
        return List.of(value.variable(), value.type(), value.name());
    }

    private Row row(Reading.Value value, Reading.@Nullable Value earlier) {
        if (before == null || earlier == null || !value.cumulative()) {
            return new Row(value, null, List.of(), null);
        }
        double seconds = (now.nanos() - before.nanos()) / NANOS_PER_SECOND;
        List<Double> perCpu = new ArrayList<>();
        for (int cpu = 0; cpu < value.perCpu().size(); cpu++) {
            perCpu.add(difference(value.perCpu().get(cpu), earlier.perCpu().get(cpu)) / seconds);
        }
        return new Row(
                value,
                difference(value.total(), earlier.total()) / seconds,
                perCpu,
                difference(value.elsewhere(), earlier.elsewhere()) / seconds);
    }

    /** The difference of two sums; those of {@code long}s wrap, and their difference is right all the same. */
    private static double difference(Number now, Number before) {
        return now instanceof Double
                ? now.doubleValue() - before.doubleValue()
                : (double) (now.longValue() - before.longValue());
    }
}
