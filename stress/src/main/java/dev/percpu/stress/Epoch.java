package dev.percpu.stress;

import dev.percpu.PerCpuRuntime;
import dev.percpu.stress.subject.Subject;
import dev.percpu.stress.time.RunningTime;
import dev.percpu.testing.WithoutCpuId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
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

    /** One platform thread in so many has no CPU id, where threads have one. */
    private static final int WITHOUT_CPU_ID = 8;

    private static final boolean RSEQ = PerCpuRuntime.backend().equals("rseq");

    /** If nobody finishes a use for so long, something hangs. */
    static final Duration STALLED = Duration.ofSeconds(30);

    private final List<Subject.Kind> kinds;
    private final List<Subject> subjects = new ArrayList<>();
    private final List<LongAdder> operations = new ArrayList<>();
    private final LongAdder workers;
    private final Duration patience;
    private final RandomGenerator random;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final LongAdder uses = new LongAdder();

    /** What workers leave when they end. */
    private final BlockingQueue<Ended> ended = new LinkedBlockingQueue<>();

    /** How many workers there are; for the thread that starts them all. */
    private int alive;

    private volatile boolean stopped;

    /** A worker that has ended. Another one of its kind takes its place while the epoch lasts. */
    private record Ended(boolean virtual) {}

    /**
     * @param operations by kind, for the worker to add to
     * @param workers how many threads there were, for the workers to add to
     * @param patience how long nobody may get anywhere
     */
    Epoch(
            List<Subject.Kind> kinds,
            Map<String, LongAdder> operations,
            LongAdder workers,
            Duration patience,
            long seed) {
        this.kinds = kinds;
        this.patience = patience;
        this.workers = workers;
        this.random = new Random(seed);
        for (Subject.Kind kind : kinds) {
            subjects.add(kind.factory().create(random));
            this.operations.add(operations.get(kind.name()));
        }
    }

    /** @throws AssertionError if something was wrong */
    void run(int threads, int virtualThreads, Duration length) throws InterruptedException {
        for (int i = 0; i < threads; i++) {
            start(false, random.nextLong());
        }
        for (int i = 0; i < virtualThreads; i++) {
            start(true, random.nextLong());
        }
        long end = System.nanoTime() + length.toNanos();
        long seen = -1;
        RunningTime sinceSeen = new RunningTime();
        while (alive > 0) {
            if (System.nanoTime() >= end || failure.get() != null) {
                stopped = true;
            }
            replace(ended.poll(10, TimeUnit.MILLISECONDS));
            long now = uses.sum();
            if (now != seen) {
                seen = now;
                sinceSeen = new RunningTime();
            } else if (sinceSeen.nanos() > patience.toNanos()) {
                if (failure.get() != null) {
                    // The others wait for the one that failed.
                    break;
                }
                throw new AssertionError(describe(alive + " threads get nowhere; stacks are in " + ThreadDump.write()));
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

    /** Not by the worker itself: a thread without a CPU id has children without. */
    private void replace(@Nullable Ended worker) {
        if (worker != null) {
            alive--;
            if (!stopped) {
                start(worker.virtual(), random.nextLong());
            }
        }
    }

    private void start(boolean virtual, long seed) {
        alive++;
        workers.increment();
        (virtual ? Thread.ofVirtual() : Thread.ofPlatform().name(WORKER + workers.sum()))
                .start(() -> work(virtual, new Random(seed)));
    }

    @SuppressWarnings("ThreadPriorityCheck") // so that virtual threads take turns
    private void work(boolean virtual, RandomGenerator choices) {
        try {
            if (!virtual && RSEQ && choices.nextInt(WITHOUT_CPU_ID) == 0) {
                WithoutCpuId.unregisterThisThread();
            }
            boolean goesOn = true;
            while (goesOn && !stopped) {
                int chosen = choices.nextInt(subjects.size());
                operations.get(chosen).add(subjects.get(chosen).use(choices));
                uses.increment();
                goesOn = choices.nextInt(LIFETIME) != 0;
                if (virtual && choices.nextInt(YIELDS) == 0) {
                    Thread.yield();
                }
            }
        } catch (Throwable t) {
            failure.compareAndSet(null, t);
        } finally {
            ended.add(new Ended(virtual));
        }
    }
}
