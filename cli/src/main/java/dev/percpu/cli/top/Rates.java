package dev.percpu.cli.top;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Two readings of one process, and what was added in between. */
public record Rates(Reading before, Reading now) {
    private static final double NANOS_PER_SECOND = 1e9;

    /**
     * A value and its rates: how much was added in a second, in total and to each part. A rate is negative if more was
     * taken out than added. A reset takes out too: it looks like a value that is counted down. Prometheus takes each
     * decrease for a reset, which is right only for counters that never go down.
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

    /** A value of one variable, which is the same one in both readings. */
    private record Key(long serial, String name) {
        private static Key of(Reading.Value value) {
            return new Key(value.serial(), value.name());
        }
    }

    /** The time between the two. */
    double seconds() {
        return (now.nanos() - before.nanos()) / NANOS_PER_SECOND;
    }

    /** All values, in the order of the listing. */
    public List<Row> rows() {
        Map<Key, Reading.Value> earlier = new HashMap<>();
        before.values().forEach(value -> earlier.put(Key.of(value), value));
        return now.values().stream()
                .map(value -> row(value, earlier.get(Key.of(value))))
                .toList();
    }

    private Row row(Reading.Value value, Reading.@Nullable Value earlier) {
        if (earlier == null || !value.cumulative()) {
            return new Row(value, null, List.of(), null);
        }
        double seconds = seconds();
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
