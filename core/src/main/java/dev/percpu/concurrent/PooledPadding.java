package dev.percpu.concurrent;

/**
 * Lies before the fields of a {@link PooledFields}, since HotSpot lays a superclass's fields out first.
 *
 * <p>A thread that makes several objects leaves them in this order: a handle, its object, the next handle, the next
 * object. Different CPUs hold them later, and write them. The padding keeps a handle's fields off the cache line of the
 * object before it, and off the neighbour line that the processor fetches with it. An object and its own handle may
 * share a line: one thread has both. Refused: the padding behind the fields. An object then lay beside the next handle,
 * and two threads that had those two took about twice as long (Emerald Rapids).
 */
abstract class PooledPadding {
    /** Fills the gap that a header of 12 bytes leaves before the first {@code long}. A later field could lie there. */
    @SuppressWarnings("unused")
    private int p00;

    @SuppressWarnings("unused")
    private long p01, p02, p03, p04, p05, p06, p07, p08, p09, p10, p11, p12, p13, p14, p15, p16;
}
