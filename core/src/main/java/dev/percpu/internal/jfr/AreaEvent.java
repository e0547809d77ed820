package dev.percpu.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Period;
import jdk.jfr.StackTrace;

/** The use of the area, from time to time. */
@Name("dev.percpu.Area")
@Label("Per-CPU Area")
@Category("Percpu")
@Description("How much of each CPU's place variables use")
@Period("10 s")
@StackTrace(false)
final class AreaEvent extends Event {
    @Label("Used")
    @DataAmount
    long used;

    @Label("Stride")
    @Description("The size of each CPU's place")
    @DataAmount
    long stride;

    AreaEvent(long used, long stride) {
        this.used = used;
        this.stride = stride;
    }
}
