package dev.percpu.cli.top;

import dev.percpu.PerCpuRuntime;
import dev.percpu.management.PerCpuMXBean;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@code top} prints for programs: the components are the names in its JSON. Numbers that JSON does not have are
 * text: {@code "NaN"}, {@code "Infinity"}.
 *
 * @param pid the process
 * @param time when it was read
 * @param seconds how long before that the earlier reading was made; rates are averages over this time
 * @param backend the back end's name
 * @param area the use of the per-CPU area
 * @param ownPlaces how many threads have a place of their own
 * @param owners who holds a guard
 * @param values the values of all variables
 * @param failures the variables that could not be read
 */
public record TopJson(
        long pid,
        String time,
        double seconds,
        String backend,
        PerCpuRuntime.Area area,
        PerCpuRuntime.Places ownPlaces,
        List<PerCpuMXBean.Owner> owners,
        List<Value> values,
        List<String> failures) {

    /**
     * One value of one variable.
     *
     * @param variable the variable's name
     * @param serial tells variables of one name apart
     * @param type the variable's type
     * @param value which of its values it is
     * @param cumulative whether it is a sum of updates
     * @param total the whole
     * @param perSecond how much was added in a second; null if that is not known
     * @param perCpu the parts, indexed by CPU id
     * @param perCpuPerSecond how much was added to each in a second; empty if that is not known
     * @param elsewhere the part that lies on no CPU
     * @param elsewherePerSecond how much was added to that in a second; null if that is not known
     */
    record Value(
            String variable,
            long serial,
            String type,
            String value,
            boolean cumulative,
            Object total,
            @Nullable Object perSecond,
            List<Object> perCpu,
            List<Object> perCpuPerSecond,
            Object elsewhere,
            @Nullable Object elsewherePerSecond) {}

    /** The values, and how fast they grow. */
    public static TopJson of(long pid, Instant time, Rates rates) {
        Reading now = rates.now();
        return new TopJson(
                pid,
                time.toString(),
                rates.seconds(),
                now.backend(),
                now.area(),
                now.ownPlaces(),
                now.owners(),
                rates.rows().stream().map(TopJson::value).toList(),
                now.failures());
    }

    private static Value value(Rates.Row row) {
        Reading.Value value = row.value();
        return new Value(
                value.variable(),
                value.serial(),
                value.type(),
                value.name(),
                value.cumulative(),
                finite(value.total()),
                finiteOrNull(row.perSecond()),
                value.perCpu().stream().map(TopJson::finite).toList(),
                row.perCpuPerSecond().stream().map(TopJson::finite).toList(),
                finite(value.elsewhere()),
                finiteOrNull(row.elsewherePerSecond()));
    }

    private static @Nullable Object finiteOrNull(@Nullable Double number) {
        return number == null ? null : finite(number);
    }

    private static Object finite(Number number) {
        return Double.isFinite(number.doubleValue()) ? number : number.toString();
    }
}
