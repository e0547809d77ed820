package dev.percpu.management;

import dev.percpu.PerCpuRuntime;
import java.util.List;

/**
 * What a management tool can read about this library's variables. Each attribute is read when a tool asks for it, and
 * none is an atomic snapshot.
 */
public interface PerCpuMXBean {
    /** The back end's name: {@code rseq} or {@code atomic}. */
    String getBackend();

    /** Why the library chose that back end. */
    String getBackendReason();

    /** The per-CPU area. */
    PerCpuRuntime.Area getArea();

    /** The places that hot threads have for themselves. */
    PerCpuRuntime.Places getOwnPlaces();

    /** The CPUs whose guard a thread holds. */
    List<Owner> getOwners();

    /** All named variables and structures with their values, as {@code PerCpuRuntime.variables()} lists them. */
    List<Variable> getVariables();

    /**
     * The owner of a CPU's data.
     *
     * @param cpu the CPU's id
     * @param description which thread holds the guard
     */
    record Owner(int cpu, String description) {}

    /**
     * A variable or structure that has a name.
     *
     * @param serial which one it is: no other variable that is or was listed in the process has this number. A tool
     *     that takes the difference of two readings compares values of one serial number
     * @param name the name it was given; it need not be unique
     * @param type what it is
     * @param integers its values that are {@code long}s
     * @param reals its values that are {@code double}s
     * @param failure the class of the exception that reading the values threw; empty if there was none. An
     *     accumulator's function can throw, and a variable can be closed meanwhile
     */
    record Variable(
            long serial, String name, String type, List<Integers> integers, List<Reals> reals, String failure) {}

    /**
     * A value that is a {@code long}: see {@link dev.percpu.listing.Value}.
     *
     * @param name which of the variable's values it is
     * @param cumulative whether it is a sum of updates
     * @param total the whole
     * @param perCpu the parts, indexed by CPU id; empty if there are none
     * @param elsewhere the part that lies on no CPU
     */
    record Integers(String name, boolean cumulative, long total, List<Long> perCpu, long elsewhere) {}

    /**
     * A value that is a {@code double}: see {@link dev.percpu.listing.Value}.
     *
     * @param name which of the variable's values it is
     * @param cumulative whether it is a sum of updates
     * @param total the whole
     * @param perCpu the parts, indexed by CPU id; empty if there are none
     * @param elsewhere the part that lies on no CPU
     */
    record Reals(String name, boolean cumulative, double total, List<Double> perCpu, double elsewhere) {}
}
