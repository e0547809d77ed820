package dev.percpu.management;

import dev.percpu.CpuGuard;
import dev.percpu.PerCpuRuntime;
import dev.percpu.cpu.CpuMask;
import dev.percpu.listing.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * The management bean of this library. A program that wants to show its variables to JMX tools registers it:
 *
 * <pre>{@code
 * ManagementFactory.getPlatformMBeanServer()
 *         .registerMBean(new PerCpuMonitor(), new ObjectName(PerCpuMonitor.NAME));
 * }</pre>
 *
 * <p>A tool that may create beans in the process, such as {@code ./percpu top}, can also do it from outside, by this
 * class's name.
 */
public final class PerCpuMonitor implements PerCpuMXBean {
    /** The name to register it with. */
    public static final String NAME = "dev.percpu:type=PerCpu";

    /** Creates the bean, which reads nothing until it is asked. */
    public PerCpuMonitor() {}

    @Override
    public String getBackend() {
        return PerCpuRuntime.backend();
    }

    @Override
    public String getBackendReason() {
        return PerCpuRuntime.backendReason();
    }

    @Override
    public PerCpuRuntime.Area getArea() {
        return PerCpuRuntime.area();
    }

    @Override
    public PerCpuRuntime.Places getOwnPlaces() {
        return PerCpuRuntime.ownPlaces();
    }

    @Override
    public List<Owner> getOwners() {
        List<Owner> owners = new ArrayList<>();
        CpuMask.possible()
                .forEach(cpu -> CpuGuard.describeOwner(cpu)
                        .ifPresent(description -> owners.add(new Owner(cpu.id(), description))));
        return owners;
    }

    @Override
    public List<Variable> getVariables() {
        return PerCpuRuntime.variables().stream().map(PerCpuMonitor::read).toList();
    }

    private static Variable read(dev.percpu.listing.Variable variable) {
        List<Integers> integers = new ArrayList<>();
        List<Reals> reals = new ArrayList<>();
        String failure = "";
        try {
            for (Value value : variable.values()) {
                if (value.total() instanceof Double total) {
                    reals.add(new Reals(
                            value.name(),
                            value.cumulative(),
                            total,
                            value.perCpu().stream().map(Number::doubleValue).toList(),
                            value.elsewhere().doubleValue()));
                } else {
                    integers.add(new Integers(
                            value.name(),
                            value.cumulative(),
                            value.total().longValue(),
                            value.perCpu().stream().map(Number::longValue).toList(),
                            value.elsewhere().longValue()));
                }
            }
        } catch (Throwable e) {
            // Also a checked one: a function in another language can throw it. Not its message, which can be the
            // user's code. The other variables are read all the same.
            failure = e.getClass().getName();
        }
        return new Variable(variable.serial(), variable.name(), variable.type(), integers, reals, failure);
    }
}
