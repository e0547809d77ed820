package dev.percpu.internal.linux;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/** The system's masks of CPUs, and their substitutes where the kernel does not provide them. */
public final class Topology {
    private static final BitSet POSSIBLE = readPossible();
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

    private static BitSet readPossible() {
        BitSet possible = CpuLists.system("possible");
        return possible == null ? assumedPossible() : possible;
    }

    /** Without sysfs: the CPUs this process may use and all below them, but at least as many as the JVM counts. */
    private static BitSet assumedPossible() {
        BitSet possible = new BitSet();
        int counted = Runtime.getRuntime().availableProcessors();
        BitSet allowed = CpuLists.allowed();
        possible.set(0, Math.max(counted, allowed == null ? 0 : allowed.length()));
        return possible;
    }

    private static BitSet known(@Nullable BitSet told) {
        BitSet cpus = told == null ? possible() : told;
        // Without sysfs the possible CPUs are an assumption, and every mask stays within it. A container's sysfs and
        // its affinity can name different CPUs.
        cpus.and(POSSIBLE);
        return cpus.isEmpty() ? possible() : cpus;
    }
}
