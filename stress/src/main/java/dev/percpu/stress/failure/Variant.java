package dev.percpu.stress.failure;

import java.util.List;
import java.util.Locale;

/** In which circumstances an operation is tried. */
enum Variant {
    PLAIN,
    /** By a thread that has a place of its own: for what changes such a place. */
    HOT,
    /** By a virtual thread: for what may do something else there, above all for what waits. */
    VIRTUAL,
    /** In checked mode. */
    CHECKED;

    /** What it adds to an operation's name. */
    String suffix() {
        return this == PLAIN ? "" : ", " + name().toLowerCase(Locale.ROOT);
    }

    /** What a JVM must be started with. */
    List<String> jvmOptions() {
        return this == CHECKED ? List.of("-Dpercpu.checked=true") : List.of();
    }

    /** A thread that may use the operation. The carriers of virtual threads have stacks of the default size. */
    Thread newThread(String name, long stackBytes, Runnable task) {
        return this == VIRTUAL
                ? Thread.ofVirtual().name(name).unstarted(task)
                : new Thread(null, task, name, stackBytes);
    }

    /** The trial of an operation in these circumstances. */
    Trial trial(Trial trial) {
        return this == HOT ? new HotTrial(trial) : trial;
    }
}
