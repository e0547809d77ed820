package dev.percpu.concurrent;

/**
 * Keeps the fields of its subclasses two cache lines behind whatever lies before the object: HotSpot lays a
 * superclass's fields out first. Two lines, since processors fetch the neighbour of a line along with it.
 *
 * <p>Before it lies, as often as not, what a pool lends: an object that its holder writes all the time. A thread that
 * makes several objects leaves them in this order: a handle, its object, the next handle, the next object. A collector
 * that copies them often puts the pool's ids behind the last object. Other CPUs write those handles, and all of them
 * read the fields of the pool and of its ids.
 *
 * <p>An object and its own handle may share a line: one thread has both. Refused for handles: the padding behind the
 * fields. An object then lay beside the next handle, and two threads that had those two took about twice as long
 * (Emerald Rapids).
 */
abstract class PaddedInFront {
    /** Fills the gap that a header of 12 bytes leaves before the first {@code long}. A later field could lie there. */
    @SuppressWarnings("unused")
    private int p00;

    @SuppressWarnings("unused")
    private long p01, p02, p03, p04, p05, p06, p07, p08, p09, p10, p11, p12, p13, p14, p15, p16;
}
