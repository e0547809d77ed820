package dev.percpu.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;

/** A thread waits for a guard. */
@Name("dev.percpu.GuardContended")
@Label("CPU Guard Contended")
@Category("Percpu")
@Description("A thread has waited for a CPU's guard for over a millisecond, and goes on waiting")
final class GuardContendedEvent extends Event {
    @Label("CPU")
    int cpu;

    @Label("Owner")
    @Nullable
    Thread owner;

    @Label("Owner's Description")
    @Description("Also of a thread of C code, which Java has no Thread for")
    String description;

    @Label("Waited")
    @Description("How long the thread has waited by now")
    @Timespan
    long waited;

    GuardContendedEvent(int cpu, @Nullable Thread owner, String description, long waited) {
        this.cpu = cpu;
        this.owner = owner;
        this.description = description;
        this.waited = waited;
    }
}
