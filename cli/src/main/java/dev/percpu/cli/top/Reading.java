package dev.percpu.cli.top;

import dev.percpu.PerCpuRuntime;
import dev.percpu.management.PerCpuMXBean;
import java.util.ArrayList;
import java.util.List;

/**
 * What was read of a process.
 *
 * @param nanos when, by this process's clock
 * @param backend the back end's name
 * @param area the use of the per-CPU area
 * @param ownPlaces how many threads have a place of their own
 * @param owners who holds a guard
 * @param values the values of all variables, in the order of the listing
 * @param failures the variables that could not be read, each with the reason
 */
public record Reading(
        long nanos,
        String backend,
        PerCpuRuntime.Area area,
        PerCpuRuntime.Places ownPlaces,
        List<PerCpuMXBean.Owner> owners,
        List<Value> values,
        List<String> failures) {
    /**
     * One value of one variable. The numbers are all {@link Long}s, or all {@link Double}s.
     *
     * @param serial which variable it is: see {@link PerCpuMXBean.Variable}
     * @param variable the variable's name
     * @param type the variable's type
     * @param name which of its values it is
     * @param cumulative whether it is a sum of updates, which has a rate
     * @param total the whole
     * @param perCpu the parts, indexed by CPU id; empty if there are none
     * @param elsewhere the part that lies on no CPU
     */
    public record Value(
            long serial,
            String variable,
            String type,
            String name,
            boolean cumulative,
            Number total,
            List<? extends Number> perCpu,
            Number elsewhere) {}

    /** The values of all variables, one after the other. A variable that could not be read has none. */
    static List<Value> flatten(List<PerCpuMXBean.Variable> variables) {
        List<Value> values = new ArrayList<>();
        for (PerCpuMXBean.Variable of : variables) {
            for (PerCpuMXBean.Integers value : of.integers()) {
                values.add(new Value(
                        of.serial(),
                        of.name(),
                        of.type(),
                        value.name(),
                        value.cumulative(),
                        value.total(),
                        value.perCpu(),
                        value.elsewhere()));
            }
            for (PerCpuMXBean.Reals value : of.reals()) {
                values.add(new Value(
                        of.serial(),
                        of.name(),
                        of.type(),
                        value.name(),
                        value.cumulative(),
                        value.total(),
                        value.perCpu(),
                        value.elsewhere()));
            }
        }
        return values;
    }

    static List<String> failures(List<PerCpuMXBean.Variable> variables) {
        return variables.stream()
                .filter(variable -> !variable.failure().isEmpty())
                .map(variable -> variable.name() + ": " + variable.failure())
                .toList();
    }
}
