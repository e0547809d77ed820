package dev.percpu.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Threshold;

/** A thread waits for an object of a pool. */
@Name("dev.percpu.PoolAwaited")
@Label("Pool Awaited")
@Category("Percpu")
@Description("A thread waited for an object of a pool")
@Threshold("1 ms")
final class PoolAwaitedEvent extends Event implements Recording.RecordedWait {
    @Label("Pool")
    String pool;

    @Label("Capacity")
    @Description("How many objects there are at most")
    int capacity;

    @Label("Acquired")
    @Description("False if the time ran out, an interrupt came, or the pool was closed")
    boolean acquired;

    PoolAwaitedEvent(String pool, int capacity) {
        this.pool = pool;
        this.capacity = capacity;
    }

    @Override
    public void commit(boolean hasAcquired) {
        acquired = hasAcquired;
        commit();
    }
}
