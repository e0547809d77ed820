package dev.percpu.stress;

import dev.percpu.stress.subject.Subject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** A few structures, used by many threads for a short time, and verified at its end. */
final class Epoch {
    /** How the names of platform threads begin. */
    static final String WORKER = "stress-";

    /** After so many uses, on average, a thread ends and another one takes its place. */
    private static final int LIFETIME = 500;

    /** One use in so many is followed by a pause in which a virtual thread gives its carrier up. */
    private static final int YIELDS = 8;

    /** If nobody finishes a use for so long, something hangs. */
    private static final long STALLED_SECONDS = 30;

    private final List<Subject.Kind> kinds;
    private final List<Subject> subjects = new ArrayList<>();
    private final List<LongAdder> operations = new ArrayList<>();
    private final LongAdder workers;
    private final RandomGenerator random;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final LongAdder uses = new LongAdder();

    /** One party for each worker, and one for the thread that waits for them. */
    private final Phaser working = new Phaser(1);

    private volatile boolean stopped;

    /**
     * @param operations by kind, for the worker to add to
     * @param workers how many threads there were, for the workers to add to
     */
    Epoch(List<Subject.Kind> kinds, Map<String, LongAdder> operations, LongAdder workers, long seed) {
        this.kinds = kinds;
        this.workers = workers;
        this.random = new Random(seed);
        for (Subject.Kind kind : kinds) {
            subjects.add(kind.factory().create(random));
            this.operations.add(operations.get(kind.name()));
        }
    }

    /** @throws AssertionError if something was wrong */
    void run(int threads, int virtualThreads, long nanos) throws InterruptedException {
        for (int i = 0; i < threads; i++) {
            start(false, random.nextLong());
        }
        for (int i = 0; i < virtualThreads; i++) {
            start(true, random.nextLong());
        }
        long end = System.nanoTime() + nanos;
        int phase = working.arriveAndDeregister();
        long seen = -1;
        long seenAt = System.nanoTime();
        while (!finished(phase)) {
            if (System.nanoTime() >= end || failure.get() != null) {
                stopped = true;
            }
            long now = uses.sum();
            if (now != seen) {
                seen = now;
                seenAt = System.nanoTime();
            } else if (System.nanoTime() - seenAt > TimeUnit.SECONDS.toNanos(STALLED_SECONDS)) {
                throw new AssertionError(describe(
                        working.getUnarrivedParties() + " threads get nowhere; stacks are in " + ThreadDump.write()));
            }
        }
        Throwable thrown = failure.get();
        if (thrown != null) {
            throw new AssertionError(describe(String.valueOf(thrown.getMessage())), thrown);
        }
        for (int i = 0; i < subjects.size(); i++) {
            verify(kinds.get(i), subjects.get(i));
        }
    }

    private static void verify(Subject.Kind kind, Subject subject) throws InterruptedException {
        try {
            subject.verify();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(kind.name() + ": " + e.getMessage(), e);
        }
    }

    private String describe(String what) {
        return String.join(", ", kinds.stream().map(Subject.Kind::name).toList()) + ": " + what;
    }

    private boolean finished(int phase) throws InterruptedException {
        try {
            working.awaitAdvanceInterruptibly(phase, 10, TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException notYet) {
            return false;
        }
    }

    private void start(boolean virtual, long seed) {
        working.register();
        workers.increment();
        (virtual ? Thread.ofVirtual() : Thread.ofPlatform().name(WORKER + workers.sum()))
                .start(() -> work(virtual, new Random(seed)));
    }

    @SuppressWarnings("ThreadPriorityCheck") // so that virtual threads take turns
    private void work(boolean virtual, RandomGenerator choices) {
        try {
            while (!stopped) {
                int chosen = choices.nextInt(subjects.size());
                operations.get(chosen).add(subjects.get(chosen).use(choices));
                uses.increment();
                if (choices.nextInt(LIFETIME) == 0 && !stopped) {
                    start(virtual, choices.nextLong());
                    return;
                }
                if (virtual && choices.nextInt(YIELDS) == 0) {
                    Thread.yield();
                }
            }
        } catch (Throwable t) {
            failure.compareAndSet(null, t);
        } finally {
            working.arriveAndDeregister();
        }
    }
}
