package dev.percpu.concurrent;

/**
 * Says when a lock's readers change to a faster way of counting, which makes the next writer slower. They change
 * once so many readers have come without a writer that the change would have paid, as far as that can be known. So a
 * lock never loses much more by changing than it would have lost by not changing. (A skier does the same who rents skis
 * until the rents add up to the price, and then buys.) Dave Dice and Alex Kogan's BRAVO locks do the same with time.
 */
final class ReaderThresholds {
    /** One writer in so many reads is rare enough for stripes. */
    private static final int LEAST_BEFORE_STRIPES = 4;

    private static final int MOST_BEFORE_STRIPES = 64;

    /** How much a reader saves by the tally instead of a stripe: two atomic instructions. */
    private static final int NANOS_SAVED = 8;

    /** A tally is opened again after so many reads that it would have saved this many times what closing it cost. */
    private static final int TIMES = 9;

    private static final int LEAST_BEFORE_TALLY = 2_000;
    private static final int MOST_BEFORE_TALLY = 500_000;

    private final boolean adapts;

    /** Written by the writer that closes what readers count in, and read by readers, without order. */
    private int beforeStripes;

    private int beforeTally;

    ReaderThresholds() {
        adapts = true;
        beforeStripes = 4 * LEAST_BEFORE_STRIPES;
        // The first opening comes early, so that the JIT compiler sees readers use the tally before it compiles their
        // code. Otherwise it considers that rare, and readers stay slower. The first writer may pay more than the
        // readers have saved.
        beforeTally = LEAST_BEFORE_TALLY;
    }

    /** Thresholds that always stay the same, for tests. */
    ReaderThresholds(int beforeStripes, int beforeTally) {
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
