package dev.percpu.concurrent;

/** What the readers of a lock count in, so that a test that takes a moment sees each of its counters. */
enum ReaderCounters {
    /** The word that all share. */
    WORD(Integer.MAX_VALUE, Integer.MAX_VALUE),

    /** The stripes, from the second reader after a writer on. */
    STRIPES(0, Integer.MAX_VALUE),

    /** The tally, from the third reader after a writer on. */
    TALLY(0, 0),

    /** Now this and now that: a writer comes after a few readers. */
    ALL(1, 3);

    private final int beforeStripes;
    private final int beforeTally;

    ReaderCounters(int beforeStripes, int beforeTally) {
        this.beforeStripes = beforeStripes;
        this.beforeTally = beforeTally;
    }

    ReaderDoor door(boolean fair) {
        return new ReaderDoor("a test", fair, new ReaderThresholds(beforeStripes, beforeTally));
    }

    /** A lock of which the readers that come next use these counters. */
    PerCpuReadWriteLock lock() {
        return lock(false);
    }

    /** As {@link #lock()}, and fair or not. */
    PerCpuReadWriteLock lock(boolean fair) {
        PerCpuReadWriteLock lock = new PerCpuReadWriteLock(door(fair));
        use(lock);
        return lock;
    }

    /** Has the readers that come next use these counters. */
    @SuppressWarnings("LockNotBeforeTry") // nothing is done inside
    static void use(PerCpuReadWriteLock lock) {
        for (int time = 0; time < 8; time++) {
            lock.readLock().lock();
            lock.readLock().unlock();
        }
    }
}
