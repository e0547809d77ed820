package dev.percpu.stress;

import dev.percpu.stress.time.RunningTime;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** Counts the log lines about guards whose dead owners were replaced, instead of printing them. */
final class Takeovers extends Handler {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

    /** Kept, as a logger that nobody keeps forgets its handlers. */
    private final Logger logger = Logger.getLogger("dev.percpu");

    private final AtomicLong count = new AtomicLong();

    private Takeovers() {}

    static Takeovers watch() {
        Takeovers takeovers = new Takeovers();
        takeovers.logger.setUseParentHandlers(false);
        takeovers.logger.addHandler(takeovers);
        return takeovers;
    }

    long count() {
        return count.get();
    }

    /**
     * Waits until there are so many; threads of their own log them.
     *
     * @throws AssertionError if there are more, or fewer for long
     */
    void await(long expected) throws InterruptedException {
        RunningTime waited = new RunningTime();
        while (count.get() < expected && waited.nanos() < PATIENCE_NANOS) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
        if (count.get() != expected) {
            throw new AssertionError("guards: " + expected + " owners died, " + count.get() + " were replaced");
        }
    }

    @Override
    public void publish(LogRecord line) {
        if (line.getMessage().contains("taken over")) {
            count.incrementAndGet();
        }
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
}
