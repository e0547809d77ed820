package dev.percpu.concurrent;

/**
 * When a lock's readers are to change to a faster way of counting, which makes the next writer slower. They change once
 * they have come so often without a writer that the change would have paid, as far as that can be known. So a lock
 * never loses much more by changing than it would have lost by not changing (as skiers do who rent until the rent has
 * come to the price). Dave Dice and Alex Kogan's BRAVO locks do the same with time.
 */
final class Pace {
    /** One writer in so many reads is rare enough for stripes. */
    private static final int LEAST_BEFORE_STRIPES = 4;

    private static final int MOST_BEFORE_STRIPES = 64;

    /** How much a reader saves by the tally instead of a stripe: two atomic instructions. */
    private static final int NANOS_SAVED = 8;

    /** A tally is closed again at most once in so many times of what that costs. */
    private static final int TIMES = 9;

    private static final int LEAST_BEFORE_TALLY = 2_000;
    private static final int MOST_BEFORE_TALLY = 500_000;

    private final boolean adapts;

    /** Written by the writer that closes what readers count in, and read by readers, without order. */
    private int beforeStripes;

    private int beforeTally;

    Pace() {
        adapts = true;
        beforeStripes = 4 * LEAST_BEFORE_STRIPES;
        // For the first time early: the JIT compiler then sees readers use the tally before it compiles them. Otherwise
        // it takes that for rare, and they stay slower. The first writer may pay more than the readers have saved.
        beforeTally = LEAST_BEFORE_TALLY;
    }

    /** A pace that always stays the same, for tests. */
    Pace(int beforeStripes, int beforeTally) {
        adapts = false;
        this.beforeStripes = beforeStripes;
        this.beforeTally = beforeTally;
    }

    /** After how many reads in the central word to open the stripes. */
    int beforeStripes() {
        return beforeStripes;
    }

    /** After how many reads in one stripe to open the tally. */
    int beforeTally() {
        return beforeTally;
    }

    /** Stripes were closed that so many readers had used. */
    void stripesClosed(long arrivals) {
        if (adapts) {
            boolean paid = arrivals >= MOST_BEFORE_STRIPES / 2;
            beforeStripes = Math.clamp(
                    paid ? beforeStripes / 2 : beforeStripes * 2L, LEAST_BEFORE_STRIPES, MOST_BEFORE_STRIPES);
        }
    }

    /** A tally was closed, which took so long. */
    void tallyClosed(long nanos) {
        if (adapts) {
            beforeTally = Math.clamp(nanos * TIMES / NANOS_SAVED, LEAST_BEFORE_TALLY, MOST_BEFORE_TALLY);
        }
    }
}
