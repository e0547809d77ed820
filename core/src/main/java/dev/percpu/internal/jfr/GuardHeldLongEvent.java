package dev.percpu.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;

/** One owner keeps others waiting. */
@Name("dev.percpu.GuardHeldLong")
@Label("CPU Guard Held Long")
@Category("Percpu")
@Description("One owner has held a CPU's guard for over two seconds, and others wait")
@StackTrace(false)
final class GuardHeldLongEvent extends Event {
    @Label("CPU")
    int cpu;

    @Label("Owner")
    @Nullable
    Thread owner;

    @Label("Owner's Description")
    @Description("Also of a thread of C code, which Java has no Thread for")
    String description;

    @Label("Held")
    @Description("How long others have seen this owner by now")
    @Timespan
    long held;

    @Label("Waiting")
    @Description("How many threads wait")
    int waiting;

    GuardHeldLongEvent(int cpu, @Nullable Thread owner, String description, long held, int waiting) {
        this.cpu = cpu;
        this.owner = owner;
        this.description = description;
        this.held = held;
        this.waiting = waiting;
    }
}
