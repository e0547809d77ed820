package dev.percpu.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Threshold;
import org.jspecify.annotations.Nullable;

/** A thread waits for a guard. */
@Name("dev.percpu.GuardContended")
@Label("CPU Guard Contended")
@Category("Percpu")
@Description("A thread waited for a CPU's guard")
@Threshold("1 ms")
final class GuardContendedEvent extends Event implements Recording.RecordedWait {
    @Label("CPU")
    int cpu;

    @Label("Owner")
    @Description("The thread that held the guard when the waiting thread last looked")
    @Nullable
    Thread owner;

    @Label("Owner's Description")
    @Description("Also of a thread of C code, which Java has no Thread for")
    String description = "another thread";

    @Label("Acquired")
    @Description("False if the time ran out or an interrupt came")
    boolean acquired;

    GuardContendedEvent(int cpu) {
        this.cpu = cpu;
    }

    @Override
    public void commit(boolean hasAcquired) {
        acquired = hasAcquired;
        commit();
    }
}
