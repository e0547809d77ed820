package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import dev.percpu.benchmarks.measure.Role;
import java.io.ByteArrayOutputStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.CompilerControl;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.BufferRecycler;
import tools.jackson.core.util.JsonRecyclerPools;
import tools.jackson.core.util.RecyclerPool;

/**
 * What does it cost to write a small object with Jackson 3 and to read it back, with this library's pool for the
 * buffers and with each of Jackson 3's own?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar Jackson3Benchmark
 * </pre>
 *
 * <p>It is {@link JacksonBenchmark} with Jackson 3, which has other pools. The concurrent deque is its default. The
 * striped array has up to 64 slots, and a thread looks first in the one that its hash says. The hybrid pool keeps a
 * recycler for each platform thread, and has a striped array for virtual ones.
 */
public class Jackson3Benchmark extends Comparison {
    private static final String ONE = "one thread";
    private static final String MANY = "virtual threads";

    private static final int TOKENS = 8;

    private final Jackson3Pool perCpuPool = Jackson3Pool.perCpu(PoolBenchmark.CAPACITY);
    private final JsonFactory perCpu = factory(perCpuPool.pool());
    private final JsonFactory threadLocal = factory(JsonRecyclerPools.threadLocalPool());
    private final JsonFactory none = factory(JsonRecyclerPools.nonRecyclingPool());
    private final JsonFactory deque = factory(JsonRecyclerPools.newConcurrentDequePool());
    private final JsonFactory bounded = factory(JsonRecyclerPools.newBoundedPool(PoolBenchmark.CAPACITY));
    private final JsonFactory striped =
            factory(Jackson3Pool.stripedArray(PoolBenchmark.CAPACITY).pool());
    private final JsonFactory hybrid =
            factory(Jackson3Pool.hybrid(PoolBenchmark.CAPACITY).pool());

    private static JsonFactory factory(RecyclerPool<BufferRecycler> pool) {
        return JsonFactory.builder().recyclerPool(pool).build();
    }

    @Benchmark
    @Role(value = OURS, task = ONE, label = "`PerCpuRecyclerPool`")
    public long onePerCpu() {
        return roundTrip(perCpu);
    }

    @Benchmark
    @Role(value = PEER, task = ONE, label = "thread-local pool")
    public long oneThreadLocal() {
        return roundTrip(threadLocal);
    }

    @Benchmark
    @Role(value = PEER, task = ONE, label = "no pool")
    public long oneNonRecycling() {
        return roundTrip(none);
    }

    @Benchmark
    @Role(value = PEER, task = ONE, label = "concurrent deque pool")
    public long oneConcurrentDeque() {
        return roundTrip(deque);
    }

    @Benchmark
    @Role(value = PEER, task = ONE, label = "bounded pool")
    public long oneBounded() {
        return roundTrip(bounded);
    }

    @Benchmark
    @Role(value = PEER, task = ONE, label = "striped array pool")
    public long oneStripedArray() {
        return roundTrip(striped);
    }

    @Benchmark
    @Role(value = PEER, task = ONE, label = "hybrid pool")
    public long oneHybrid() {
        return roundTrip(hybrid);
    }

    @Benchmark
    @Role(value = OURS, task = MANY, label = "`PerCpuRecyclerPool`")
    @OperationsPerInvocation(PoolBenchmarkVirtualThreads.OPERATIONS)
    public void manyPerCpu() throws InterruptedException {
        PoolBenchmarkVirtualThreads.inVirtualThreads(() -> roundTrip(perCpu));
    }

    @Benchmark
    @Role(value = PEER, task = MANY, label = "thread-local pool")
    @OperationsPerInvocation(PoolBenchmarkVirtualThreads.OPERATIONS)
    public void manyThreadLocal() throws InterruptedException {
        PoolBenchmarkVirtualThreads.inVirtualThreads(() -> roundTrip(threadLocal));
    }

    @Benchmark
    @Role(value = PEER, task = MANY, label = "no pool")
    @OperationsPerInvocation(PoolBenchmarkVirtualThreads.OPERATIONS)
    public void manyNonRecycling() throws InterruptedException {
        PoolBenchmarkVirtualThreads.inVirtualThreads(() -> roundTrip(none));
    }

    @Benchmark
    @Role(value = PEER, task = MANY, label = "concurrent deque pool")
    @OperationsPerInvocation(PoolBenchmarkVirtualThreads.OPERATIONS)
    public void manyConcurrentDeque() throws InterruptedException {
        PoolBenchmarkVirtualThreads.inVirtualThreads(() -> roundTrip(deque));
    }

    @Benchmark
    @Role(value = PEER, task = MANY, label = "bounded pool")
    @OperationsPerInvocation(PoolBenchmarkVirtualThreads.OPERATIONS)
    public void manyBounded() throws InterruptedException {
        PoolBenchmarkVirtualThreads.inVirtualThreads(() -> roundTrip(bounded));
    }

    @Benchmark
    @Role(value = PEER, task = MANY, label = "striped array pool")
    @OperationsPerInvocation(PoolBenchmarkVirtualThreads.OPERATIONS)
    public void manyStripedArray() throws InterruptedException {
        PoolBenchmarkVirtualThreads.inVirtualThreads(() -> roundTrip(striped));
    }

    @Benchmark
    @Role(value = PEER, task = MANY, label = "hybrid pool")
    @OperationsPerInvocation(PoolBenchmarkVirtualThreads.OPERATIONS)
    public void manyHybrid() throws InterruptedException {
        PoolBenchmarkVirtualThreads.inVirtualThreads(() -> roundTrip(hybrid));
    }

    @Override
    void check(String benchmark, long operations) {
        perCpuPool.checkLendsAll(PoolBenchmark.CAPACITY);
    }

    /** Writes an object and reads it back. */
    private static long roundTrip(JsonFactory json) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(128);
        try (JsonGenerator generator = json.createGenerator(ObjectWriteContext.empty(), out)) {
            write(generator);
        }
        try (JsonParser parser = json.createParser(ObjectReadContext.empty(), out.toByteArray())) {
            return read(parser);
        }
    }

    // Not inlined, as in JacksonBenchmark.
    @CompilerControl(CompilerControl.Mode.DONT_INLINE)
    private static void write(JsonGenerator generator) {
        generator.writeStartObject();
        generator.writeNumberProperty("id", 42);
        generator.writeStringProperty("name", "percpu");
        generator.writeBooleanProperty("active", true);
        generator.writeEndObject();
    }

    @CompilerControl(CompilerControl.Mode.DONT_INLINE)
    private static long read(JsonParser parser) {
        long tokens = 0;
        while (parser.nextToken() != null) {
            tokens++;
        }
        checkEqual("tokens read back", TOKENS, tokens);
        return tokens;
    }
}
