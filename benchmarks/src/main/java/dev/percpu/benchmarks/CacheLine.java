package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.FLOOR;

import dev.percpu.benchmarks.measure.Curve;
import dev.percpu.benchmarks.measure.Spread;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.linux.BoundThread;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.ToDoubleFunction;

/**
 * How long is a cache line on its way from one CPU to another, and how many additions does a CPU make before it has to
 * let the line go? The model in docs/performance.md is made of these two.
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar --curves "Cache line"
 * </pre>
 *
 * <p>Two threads are bound to two CPUs, the first and the last that this process may use: those are rarely two threads
 * of one core. For the first question each waits for what the other has written, and writes the next number. For the
 * second both add to one number as fast as they can, and one of them looks how often the number is not the one that it
 * left. What takes longer because something else had to run is left out.
 */
final class CacheLine {
    static final String CHART = "Cache line";

    /** Whoever waits here has the line's neighbours to itself, which a processor may fetch together with it. */
    private static final int LENGTH = 64;

    private static final int INDEX = LENGTH / 2;

    private static final long WARM_UP_NANOS = 3_000_000_000L;
    private static final int MEASUREMENTS = 9;
    private static final int SLICES = 200;
    private static final int MOST_TRIES = 20_000;
    private static final int ROUND_TRIPS = 500;
    private static final int ADDITIONS = 5_000;

    /** The other thread writes this to end. */
    private static final long STOP = -1;

    private CacheLine() {}

    /** Prints both in one row; nothing if there is but one CPU. */
    static void print(PrintStream out) {
        int[] cpus = CpuMask.usable().ids().toArray();
        if (cpus.length < 2) {
            return;
        }
        SequencedMap<String, Spread> values = new LinkedHashMap<>();
        values.put("ns on its way", measured(cpus, CacheLine::answer, CacheLine::nanosOnItsWay));
        values.put("additions in a visit", measured(cpus, CacheLine::add, CacheLine::additionsInAVisit));
        out.println(new Curve(CHART, "", "part", FLOOR, "a line that two CPUs want", values));
    }

    /** What the other thread does until it is stopped. */
    @FunctionalInterface
    private interface Partner {
        void run(AtomicLongArray line, AtomicLongArray stop);
    }

    /** Several measurements in one thread, while another one does its part. */
    private static Spread measured(int[] cpus, Partner partner, ToDoubleFunction<AtomicLongArray> measurement) {
        AtomicLongArray line = new AtomicLongArray(LENGTH);
        AtomicLongArray stop = new AtomicLongArray(LENGTH);
        List<Double> values = new ArrayList<>();
        BoundThread other = BoundThread.start(cpus[cpus.length - 1], () -> partner.run(line, stop));
        BoundThread measuring = BoundThread.start(cpus[0], () -> {
            // Long enough for the JIT compiler, for which these two threads leave no CPU.
            long warm = System.nanoTime() + WARM_UP_NANOS;
            while (System.nanoTime() - warm < 0) {
                double _ = measurement.applyAsDouble(line);
            }
            for (int i = 0; i < MEASUREMENTS; i++) {
                values.add(measurement.applyAsDouble(line));
            }
        });
        Throwable thrown = measuring.await();
        stop.set(INDEX, STOP);
        Throwable thrownByOther = other.await();
        if (thrown != null || thrownByOther != null) {
            throw new IllegalStateException("a cache line cannot be measured", thrown != null ? thrown : thrownByOther);
        }
        return Spread.of(values);
    }

    /** Half a round trip, in the fastest slice: in the others one of the two threads had to wait for its CPU. */
    private static double nanosOnItsWay(AtomicLongArray line) {
        long best = Long.MAX_VALUE;
        for (int slice = 0; slice < SLICES; slice++) {
            long before = System.nanoTime();
            for (int trip = 0; trip < ROUND_TRIPS; trip++) {
                long sent = line.getPlain(INDEX) + 1;
                line.setRelease(INDEX, sent);
                while (line.getAcquire(INDEX) == sent) {
                    // No pause, which would be a part of what is measured.
                }
            }
            best = Math.min(best, System.nanoTime() - before);
        }
        return best / (2.0 * ROUND_TRIPS);
    }

    private static void answer(AtomicLongArray line, AtomicLongArray stop) {
        while (stop.getOpaque(INDEX) != STOP) {
            long sent = line.getAcquire(INDEX);
            if ((sent & 1) != 0) {
                line.setRelease(INDEX, sent + 1);
            }
        }
    }

    /** The median of the slices in which the other thread was running too. */
    private static double additionsInAVisit(AtomicLongArray line) {
        List<Double> slices = new ArrayList<>();
        for (int tries = 0; slices.size() < SLICES; tries++) {
            if (tries == MOST_TRIES) {
                throw new IllegalStateException("the two CPUs are too seldom free at the same time");
            }
            long visits = 1;
            long first = line.getAndIncrement(INDEX);
            long last = first;
            for (int addition = 1; addition < ADDITIONS; addition++) {
                long found = line.getAndIncrement(INDEX);
                if (found != last + 1) {
                    visits++;
                }
                last = found;
            }
            long byOther = last - first + 1 - ADDITIONS;
            if (byOther > ADDITIONS / 2) {
                slices.add((double) ADDITIONS / visits);
            }
        }
        return Spread.of(slices).median();
    }

    private static void add(AtomicLongArray line, AtomicLongArray stop) {
        while (stop.getOpaque(INDEX) != STOP) {
            long _ = line.getAndIncrement(INDEX);
        }
    }
}
