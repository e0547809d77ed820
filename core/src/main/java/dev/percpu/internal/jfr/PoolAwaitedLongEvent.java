package dev.percpu.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Timespan;

/** A thread waits for an object of a pool for long. */
@Name("dev.percpu.PoolAwaitedLong")
@Label("Pool Awaited Long")
@Category("Percpu")
@Description("A thread has waited for an object of a pool for over two seconds, and goes on waiting")
final class PoolAwaitedLongEvent extends Event {
    @Label("Pool")
    String pool;

    @Label("Capacity")
    @Description("How many objects there are at most")
    int capacity;

    @Label("Held")
    @Description("How many objects are held, being made or being destroyed")
    long held;

    @Label("Waiting")
    @Description("How many threads wait")
    int waiting;

    @Label("Waited")
    @Description("How long the thread has waited by now")
    @Timespan
    long waited;

    PoolAwaitedLongEvent(String pool, int capacity, long held, int waiting, long waited) {
        this.pool = pool;
        this.capacity = capacity;
        this.held = held;
        this.waiting = waiting;
        this.waited = waited;
    }
}
