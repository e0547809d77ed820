package dev.percpu.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Throttle;

/** A thread can have no object of a pool at once. */
@Name("dev.percpu.PoolExhausted")
@Label("Pool Exhausted")
@Category("Percpu")
// A thread that tries again and again would push all other events out of a recording.
@Throttle("100/s")
@Description("A thread finds no object of a pool that it can have at once, and waits or goes without")
final class PoolExhaustedEvent extends Event {
    @Label("Pool")
    String pool;

    @Label("Capacity")
    @Description("How many objects there are at most")
    int capacity;

    PoolExhaustedEvent(String pool, int capacity) {
        this.pool = pool;
        this.capacity = capacity;
    }
}
