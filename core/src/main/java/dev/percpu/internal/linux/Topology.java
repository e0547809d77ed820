package dev.percpu.internal.linux;

import java.util.BitSet;
import java.util.Optional;

/** The system's masks of CPUs, and their substitutes where the kernel does not provide them. */
public final class Topology {
    private static final BitSet POSSIBLE = CpuLists.system("possible").orElseGet(Topology::assumedPossible);
    private static final int CAPACITY = POSSIBLE.length();

    private Topology() {}

    public static BitSet possible() {
        return (BitSet) POSSIBLE.clone();
    }

    public static int capacity() {
        return CAPACITY;
    }

    public static BitSet present() {
        return known(CpuLists.system("present"));
    }

    public static BitSet online() {
        return known(CpuLists.system("online"));
    }

    public static BitSet allowed() {
        return known(CpuLists.allowed());
    }

    public static BitSet usable() {
        BitSet cpus = allowed();
        cpus.and(online());
        return cpus.isEmpty() ? allowed() : cpus;
    }

    /** Without sysfs: the CPUs this process may use and all below them, but at least as many as the JVM counts. */
    private static BitSet assumedPossible() {
        BitSet possible = new BitSet();
        int counted = Runtime.getRuntime().availableProcessors();
        possible.set(0, Math.max(counted, CpuLists.allowed().map(BitSet::length).orElse(0)));
        return possible;
    }

    private static BitSet known(Optional<BitSet> told) {
        BitSet cpus = told.orElseGet(Topology::possible);
        // Without sysfs the possible CPUs are an assumption, and every mask stays within it. A container's sysfs and
        // its affinity can name different CPUs.
        cpus.and(POSSIBLE);
        return cpus.isEmpty() ? possible() : cpus;
    }
}
