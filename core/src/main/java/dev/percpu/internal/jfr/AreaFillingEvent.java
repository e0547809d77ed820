package dev.percpu.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** Variables fill another eighth of the area. */
@Name("dev.percpu.AreaFilling")
@Label("Per-CPU Area Filling")
@Category("Percpu")
@Description("Variables have come to fill half of each CPU's place, or another eighth")
final class AreaFillingEvent extends Event {
    @Label("Used up to")
    @DataAmount
    long usedUpTo;

    @Label("Stride")
    @Description("The size of each CPU's place")
    @DataAmount
    long stride;

    @Label("Used for")
    @Description("What the last piece is for")
    String label;

    AreaFillingEvent(long usedUpTo, long stride, String label) {
        this.usedUpTo = usedUpTo;
        this.stride = stride;
        this.label = label;
    }
}
