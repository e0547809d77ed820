package dev.percpu.stress.subject;

import java.util.List;
import java.util.random.RandomGenerator;

/** A structure under stress. */
public interface Subject {
    /** The most operations of one kind that one use makes in a row. */
    int LONGEST_BURST = 64;

    /**
     * Uses the structure in a way chosen at random. Any number of threads do so at a time.
     *
     * @return how many operations that were
     * @throws AssertionError if something is seen that must not be
     */
    int use(RandomGenerator random) throws InterruptedException;

    /**
     * Checks what must hold when nobody uses the structure any more.
     *
     * @throws AssertionError if it does not
     */
    void verify() throws InterruptedException;

    /** A name, and how a new one is made. */
    record Kind(String name, Factory factory) {}

    /** Makes a subject, with sizes chosen at random. */
    @FunctionalInterface
    interface Factory {
        Subject create(RandomGenerator random);
    }

    /** All there are. */
    static List<Kind> kinds() {
        return List.of(
                new Kind("numbers", _ -> new Arithmetic()),
                new Kind("bits", _ -> new Bits()),
                new Kind("guards", _ -> new Guards()),
                new Kind("variables", _ -> new Variables()),
                new Kind("counters", _ -> new Counters()),
                new Kind("hot threads", HotThreads::new),
                new Kind("accumulators", _ -> new Accumulators()),
                new Kind("bounded counter", BoundedCounter::new),
                new Kind("histogram", Histogram::new),
                new Kind("events", ResetEvents::new),
                new Kind("event shapes", EventsOfAnyShape::new),
                new Kind("pool", Pool::new),
                new Kind("handover", _ -> new Handover()),
                new Kind("ref", _ -> new Ref()),
                new Kind("read-write lock", _ -> new ReadWriteLock()));
    }

    /** Checks that a total is what it must be. */
    static void expect(String what, long expected, long actual) {
        if (actual != expected) {
            throw new AssertionError(what + ": " + actual + " instead of " + expected
                    + (actual < expected ? ", lost " + (expected - actual) : ", doubled " + (actual - expected)));
        }
    }

    /** Checks that something holds. */
    static void expect(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
