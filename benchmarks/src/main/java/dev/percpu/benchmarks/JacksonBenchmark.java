package dev.percpu.benchmarks;

import static dev.percpu.benchmarks.measure.Role.Kind.OURS;
import static dev.percpu.benchmarks.measure.Role.Kind.PEER;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.util.BufferRecycler;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import com.fasterxml.jackson.core.util.RecyclerPool;
import dev.percpu.benchmarks.measure.Role;
import dev.percpu.jackson.PerCpuRecyclerPool;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.CompilerControl;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/**
 * What does it cost to write a small object with Jackson and to read it back, with this library's pool for the buffers
 * and with each of Jackson's own?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar JacksonBenchmark
 * </pre>
 *
 * <p>An operation makes a generator, writes an object of three fields and closes the generator, which gives the
 * buffers back, and does the same with a parser. One thread does so in a loop, or 1,000 virtual threads do: see {@link
 * PoolBenchmarkVirtualThreads}.
 * {@code threadLocal} is Jackson 2's default, {@code concurrentDeque} that of Jackson 3. For the pools alone see {@link
 * PoolBenchmark} and {@link PoolBenchmarkVirtualThreads}.
 */
public class JacksonBenchmark extends Comparison {
    private static final String ONE = "one thread";
    private static final String MANY = "virtual threads";

    private static final int TOKENS = 8;

    private final RecyclerPool<BufferRecycler> perCpuPool = PerCpuRecyclerPool.create(PoolBenchmark.CAPACITY);
    private final JsonFactory perCpu = factory(perCpuPool);
    private final JsonFactory threadLocal = factory(JsonRecyclerPools.threadLocalPool());
    private final JsonFactory none = factory(JsonRecyclerPools.nonRecyclingPool());
    private final JsonFactory deque = factory(JsonRecyclerPools.newConcurrentDequePool());
    private final JsonFactory bounded = factory(JsonRecyclerPools.newBoundedPool(PoolBenchmark.CAPACITY));

    @SuppressWarnings("deprecation") // in use all the same
    private final JsonFactory lockFree = factory(JsonRecyclerPools.newLockFreePool());

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
    @Role(value = PEER, task = ONE, label = "lock-free pool")
    public long oneLockFree() {
        return roundTrip(lockFree);
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
    @Role(value = PEER, task = MANY, label = "lock-free pool")
    @OperationsPerInvocation(PoolBenchmarkVirtualThreads.OPERATIONS)
    public void manyLockFree() throws InterruptedException {
        PoolBenchmarkVirtualThreads.inVirtualThreads(() -> roundTrip(lockFree));
    }

    @Override
    void check(String benchmark, long operations) {
        PoolBenchmark.checkLendsAll(perCpuPool);
    }

    /** Writes an object and reads it back. */
    private static long roundTrip(JsonFactory json) {
        try {
            ByteArrayOutputStream out = new ByteArrayOutputStream(128);
            try (JsonGenerator generator = json.createGenerator(out)) {
                write(generator);
            }
            try (JsonParser parser = json.createParser(out.toByteArray())) {
                return read(parser);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // Not inlined, as in a program, where a serializer does this. If it is inlined, C2 sometimes removes the generator,
    // and for which pool is chance. That saves 60 ns of 300, more than any pool takes.
    @CompilerControl(CompilerControl.Mode.DONT_INLINE)
    private static void write(JsonGenerator generator) throws IOException {
        generator.writeStartObject();
        generator.writeNumberField("id", 42);
        generator.writeStringField("name", "percpu");
        generator.writeBooleanField("active", true);
        generator.writeEndObject();
    }

    @CompilerControl(CompilerControl.Mode.DONT_INLINE)
    private static long read(JsonParser parser) throws IOException {
        long tokens = 0;
        while (parser.nextToken() != null) {
            tokens++;
        }
        checkEqual("tokens read back", TOKENS, tokens);
        return tokens;
    }
}
