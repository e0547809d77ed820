package dev.percpu.stress;

import dev.percpu.PerCpuRuntime;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.linux.Platform;
import dev.percpu.stress.subject.Guards;
import dev.percpu.stress.subject.HotThreads;
import dev.percpu.stress.subject.Subject;
import dev.percpu.testing.Disturbance;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * One run: epochs, each with a few structures that begin anew and are verified at its end, so that what goes wrong is
 * found after seconds.
 */
final class StressRun {
    private static final long SHORTEST_EPOCH = TimeUnit.MILLISECONDS.toNanos(1000);
    private static final long LONGEST_EPOCH = TimeUnit.MILLISECONDS.toNanos(2500);
    private static final int MOST_SUBJECTS = 3;
    private static final int MOST_VIRTUAL_THREADS = 100;

    /** The names, cut by the kernel, of the workers and of the virtual threads' carriers. */
    private static final List<String> DISTURBED = List.of(Epoch.WORKER, "ForkJoinPool-1");

    private final StressOptions options;
    private final PrintStream out;
    private final Delays delays;
    private final Random random;
    private final Deque<Subject.Kind> deck = new ArrayDeque<>();
    private final Map<String, LongAdder> operations = new LinkedHashMap<>();
    private final LongAdder workers = new LongAdder();
    private final Takeovers takeovers = Takeovers.watch();
    private Disturbance.Report disturbed = new Disturbance.Report(0, 0);
    private @Nullable Storm storm;
    private int epochs;
    private long nanos;

    StressRun(StressOptions options, Delays delays, PrintStream out) {
        this.delays = delays;
        this.out = out;
        this.options = options;
        this.random = new Random(options.seed());
        options.kinds().forEach(kind -> operations.put(kind.name(), new LongAdder()));
    }

    /** @throws AssertionError if something was lost or doubled, or nobody gets on */
    void run() throws InterruptedException {
        long start = System.nanoTime();
        AssertionError[] failure = new AssertionError[1];
        Disturbance.Body body = () -> {
            // In here, as the disturbance has a handler for the timer's signal.
            try (Storm started = Storm.start(options.seed())) {
                storm = started;
                epochs(start + TimeUnit.SECONDS.toNanos(options.seconds()));
                started.stop();
            } catch (AssertionError e) {
                // What was done until then is of interest all the same.
                failure[0] = e;
            }
        };
        if (Platform.hasSystemCalls()) {
            disturbed = Disturbance.during(name -> DISTURBED.stream().anyMatch(name::startsWith), options.seed(), body);
        } else {
            body.run();
        }
        nanos = System.nanoTime() - start;
        if (failure[0] != null) {
            throw failure[0];
        }
    }

    private void epochs(long deadline) throws InterruptedException {
        long start = System.nanoTime();
        long minutes = 0;
        while (System.nanoTime() < deadline) {
            if (options.soak() && System.nanoTime() - start >= TimeUnit.MINUTES.toNanos(minutes)) {
                out.println("minute " + minutes + ": " + Usage.now());
                minutes++;
            }
            List<Subject.Kind> kinds = deal(1 + random.nextInt(MOST_SUBJECTS));
            Epoch epoch = new Epoch(kinds, operations, workers, Epoch.STALLED, random.nextLong());
            long length =
                    Math.min(random.nextLong(SHORTEST_EPOCH, LONGEST_EPOCH), Math.max(1, deadline - System.nanoTime()));
            epoch.run(options.threads(), random.nextInt(MOST_VIRTUAL_THREADS), Duration.ofNanos(length));
            epochs++;
        }
        if (options.soak()) {
            out.println("at the end: " + Usage.now());
        }
        takeovers.await(Guards.deadOwners());
    }

    /** Each has its turn before one has it again. */
    private List<Subject.Kind> deal(int count) {
        List<Subject.Kind> dealt = new ArrayList<>();
        while (dealt.size() < Math.min(count, options.kinds().size())) {
            if (deck.isEmpty()) {
                List<Subject.Kind> shuffled = new ArrayList<>(options.kinds());
                shuffled.removeAll(dealt);
                Collections.shuffle(shuffled, random);
                deck.addAll(shuffled);
            }
            dealt.add(deck.remove());
        }
        return dealt;
    }

    /** Prints what was done. */
    void report() {
        out.printf(
                Locale.ROOT,
                "Back end %s on %d CPUs, seed %d, %d threads, %d epochs in %.1f s%n%n",
                PerCpuRuntime.backend(),
                CpuMask.usable().weight(),
                options.seed(),
                options.threads(),
                epochs,
                nanos / 1e9);
        line(
                "operations",
                operations.values().stream().mapToLong(LongAdder::sum).sum());
        operations.forEach((name, count) -> line("  " + name, count.sum()));
        line("aborts of delayed sequences", delays.aborts());
        line("migrations", disturbed.migrations());
        line("signals", disturbed.signals());
        if (storm != null) {
            line("restarts by membarrier", storm.restarts());
            line("collections", storm.collections());
            line("stack dumps at safepoints", storm.dumps());
        }
        line("guard contentions", delays.contentions());
        line("owners that died", Guards.deadOwners());
        line("  taken over", takeovers.count());
        line("threads", workers.sum());
        line("owners of places that ended", HotThreads.owners());
    }

    private void line(String what, long count) {
        out.printf(Locale.ROOT, "%-28s %,16d%n", what, count);
    }
}
