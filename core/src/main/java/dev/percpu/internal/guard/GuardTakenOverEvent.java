package dev.percpu.internal.guard;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A guard whose owner ended without closing it was taken over. */
@Name("dev.percpu.GuardTakenOver")
@Label("CPU Guard Taken Over")
@Category({"Percpu"})
@Description("The owner of a CPU's guard ended without closing it, and a waiting thread took the guard over")
final class GuardTakenOverEvent extends Event {
    @Label("CPU")
    int cpu;

    @Label("Dead Owner")
    Thread deadOwner;

    private GuardTakenOverEvent(int cpu, Thread deadOwner) {
        this.cpu = cpu;
        this.deadOwner = deadOwner;
    }

    static void commit(int cpu, Thread deadOwner) {
        new GuardTakenOverEvent(cpu, deadOwner).commit();
    }
}
