package dev.percpu.cli.bench;

import dev.percpu.PerCpuRuntime;
import java.util.List;
import java.util.stream.Stream;

/** How per-CPU variables are updated in the JVMs that measure. */
public enum BackEnd {
    /** Restartable sequences. */
    RSEQ("rseq"),

    /** Atomic instructions, because they were asked for. */
    ATOMIC("atomic"),

    /** Atomic instructions and no system calls at all, because native access is denied. */
    DENIED("no native access");

    private static final String NATIVE_ACCESS = "--enable-native-access=ALL-UNNAMED";
    private static final String NO_NATIVE_ACCESS = "--illegal-native-access=deny";

    private final String name;

    BackEnd(String name) {
        this.name = name;
    }

    /** This JVM's. */
    public static BackEnd current() {
        return PerCpuRuntime.class.getModule().isNativeAccessEnabled() ? of(PerCpuRuntime.backend()) : DENIED;
    }

    /** The one with a name. */
    static BackEnd of(String name) {
        return Stream.of(values())
                .filter(backEnd -> backEnd.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no back end is called " + name));
    }

    /** The options of a JVM, started with a class path, that shall use this one and no other. */
    List<String> jvmOptions() {
        return this == DENIED ? List.of(NO_NATIVE_ACCESS) : List.of(NATIVE_ACCESS, "-Dpercpu.backend=" + name);
    }

    /** Whether code in C can be called. */
    boolean callsC() {
        return this != DENIED;
    }

    /** The name, as tables and files have it. */
    @Override
    public String toString() {
        return name;
    }
}
