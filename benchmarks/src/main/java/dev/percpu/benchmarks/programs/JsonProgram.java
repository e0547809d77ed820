package dev.percpu.benchmarks.programs;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.util.BufferRecycler;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import com.fasterxml.jackson.core.util.RecyclerPool;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.percpu.benchmarks.programs.Timing.Phase;
import dev.percpu.jackson.PerCpuRecyclerPool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Phaser;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import org.HdrHistogram.ConcurrentHistogram;
import tools.jackson.databind.json.JsonMapper;

/**
 * How many documents does Jackson write and read under virtual threads with each pool of buffers, and how long does
 * one of them take?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar --curves JSON
 * </pre>
 *
 * <p>It is Jackson's {@link ObjectMapper}, as in a server with a thread for each request: a thread writes a document,
 * reads it back as a tree, starts the next thread, and ends. There are 1,000 of them at a time.
 */
final class JsonProgram implements Program {
    private static final String NONE = "no pool";
    private static final String THREAD_LOCAL = "thread-local pool, Jackson 2's default";
    private static final String DEQUE = "concurrent deque pool";
    private static final String LOCK_FREE = "lock-free pool (deprecated)";
    private static final String BOUNDED = "bounded pool";
    private static final String PER_CPU = "`percpu-jackson`";
    private static final String DEQUE_3 = "Jackson 3, concurrent deque pool, its default";
    private static final String STRIPED_3 = "Jackson 3, striped array pool";
    private static final String HYBRID_3 = "Jackson 3, hybrid pool";
    private static final String PER_CPU_3 = "Jackson 3, `percpu-jackson3`";

    private static final int THREADS = 1000;

    /** One thread in so many is timed: if all recorded in the shared histogram, the run would measure the histogram. */
    private static final int TIMED_EVERY = 32;

    private static final int DIGITS = 2;
    private static final int LARGE_ITEMS = 190;

    private final boolean large;

    JsonProgram(boolean large) {
        this.large = large;
    }

    /** What is written. */
    record Item(long id, String name, boolean active) {}

    @Override
    public String title() {
        return large ? "JSON, 8 KB" : "JSON, small";
    }

    @Override
    public List<String> variants() {
        return List.of(NONE, THREAD_LOCAL, DEQUE, LOCK_FREE, BOUNDED, PER_CPU, DEQUE_3, STRIPED_3, HYBRID_3, PER_CPU_3);
    }

    /** Writes a document and reads it back. */
    @FunctionalInterface
    interface RoundTrip {
        /** Returns whether nothing was read back. */
        boolean isEmpty(Object document) throws IOException;
    }

    private static RoundTrip roundTrip(String variant) {
        return switch (variant) {
            case DEQUE_3 -> jackson3(tools.jackson.core.util.JsonRecyclerPools.newConcurrentDequePool());
            case STRIPED_3 -> jackson3(tools.jackson.core.util.JsonRecyclerPools.newStripedArrayPool(THREADS));
            case HYBRID_3 -> jackson3(tools.jackson.core.util.JsonRecyclerPools.newHybridPool(THREADS));
            case PER_CPU_3 -> jackson3(dev.percpu.jackson3.PerCpuRecyclerPool.create(THREADS));
            default -> jackson2(pool(variant));
        };
    }

    private static RoundTrip jackson2(RecyclerPool<BufferRecycler> pool) {
        ObjectMapper mapper =
                new ObjectMapper(JsonFactory.builder().recyclerPool(pool).build());
        return document -> mapper.readTree(mapper.writeValueAsBytes(document)).isEmpty();
    }

    private static RoundTrip jackson3(
            tools.jackson.core.util.RecyclerPool<tools.jackson.core.util.BufferRecycler> pool) {
        JsonMapper mapper = new JsonMapper(
                tools.jackson.core.json.JsonFactory.builder().recyclerPool(pool).build());
        return document -> mapper.readTree(mapper.writeValueAsBytes(document)).isEmpty();
    }

    @SuppressWarnings("deprecation") // the lock-free one is in use all the same
    private static RecyclerPool<BufferRecycler> pool(String variant) {
        return switch (variant) {
            case THREAD_LOCAL -> JsonRecyclerPools.threadLocalPool();
            case DEQUE -> JsonRecyclerPools.newConcurrentDequePool();
            case LOCK_FREE -> JsonRecyclerPools.newLockFreePool();
            case BOUNDED -> JsonRecyclerPools.newBoundedPool(THREADS);
            case PER_CPU -> PerCpuRecyclerPool.create(THREADS);
            default -> JsonRecyclerPools.nonRecyclingPool();
        };
    }

    @Override
    public Result run(String variant, Timing timing) throws InterruptedException {
        List<Item> items = IntStream.range(0, large ? LARGE_ITEMS : 1)
                .mapToObj(i -> new Item(i, "name " + i, i % 2 == 0))
                .toList();
        Object document = large ? items : items.getFirst();
        return new Run(roundTrip(variant), document, timing).result();
    }

    /** One run: chains of threads, of which each starts its successor. */
    static final class Run {
        private final RoundTrip roundTrip;
        private final Object document;
        private final Timing timing;
        private final ConcurrentHistogram nanos = new ConcurrentHistogram(DIGITS);
        private final LongAdder documents = new LongAdder();
        private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        private final Phaser running = new Phaser(THREADS + 1);

        Run(RoundTrip roundTrip, Object document, Timing timing) {
            this.roundTrip = roundTrip;
            this.document = document;
            this.timing = timing;
        }

        /** Waits for the end, and throws if a thread has thrown. */
        Result result() throws InterruptedException {
            for (int chain = 0; chain < THREADS; chain++) {
                int number = chain;
                Thread _ = Thread.ofVirtual().start(() -> serve(number));
            }
            double seconds = (double) timing.pass() / Duration.ofSeconds(1).toNanos();
            running.arriveAndAwaitAdvance();
            if (!failures.isEmpty()) {
                throw new IllegalStateException(failures.size() + " threads failed", failures.peek());
            }
            return new Result(
                    documents.sum() / seconds, nanos.getValueAtPercentile(50), nanos.getValueAtPercentile(99));
        }

        private void serve(int number) {
            boolean hasSuccessor = false;
            try {
                Phase phase = timing.phase();
                long before = System.nanoTime();
                roundTrip();
                if (phase == Phase.MEASUREMENT) {
                    documents.increment();
                    if (number % TIMED_EVERY == 0) {
                        nanos.recordValue(System.nanoTime() - before);
                    }
                }
                if (phase != Phase.OVER) {
                    Thread _ = Thread.ofVirtual().start(() -> serve(number + 1));
                    hasSuccessor = true;
                }
            } catch (Throwable t) {
                failures.add(t);
            } finally {
                // The chain ends here, in whatever way.
                if (!hasSuccessor) {
                    int _ = running.arrive();
                }
            }
        }

        private void roundTrip() {
            try {
                if (roundTrip.isEmpty(document)) {
                    throw new IllegalStateException("read back as nothing");
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
