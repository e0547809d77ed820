package dev.percpu.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/** A thread took over a guard whose owner ended without closing it. */
@Name("dev.percpu.GuardTakenOver")
@Label("CPU Guard Taken Over")
@Category("Percpu")
@Description("The owner of a CPU's guard ended without closing it, and another thread took the guard over")
@StackTrace(false)
final class GuardTakenOverEvent extends Event {
    @Label("CPU")
    int cpu;

    @Label("Dead Owner")
    @Nullable
    Thread deadOwner;

    @Label("Dead Owner's Description")
    @Description("Also of a thread of C code, which Java has no Thread for")
    String description;

    GuardTakenOverEvent(int cpu, @Nullable Thread deadOwner, String description) {
        this.cpu = cpu;
        this.deadOwner = deadOwner;
        this.description = description;
    }
}
