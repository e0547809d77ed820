package dev.percpu.jackson;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.util.BufferRecycler;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import com.fasterxml.jackson.core.util.RecyclerPool;
import dev.percpu.CpuGuard;
import dev.percpu.PerCpuRuntime;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.StringWriter;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** What Jackson expects of a recycler pool, and what this one adds. */
class PerCpuRecyclerPoolTest {
    private static final String DOCUMENT = "{\"a\":123,\"b\":\"foobar\"}";

    private final PerCpuRecyclerPool pool = PerCpuRecyclerPool.create(5);

    @Test
    void aParserTakesOneAndGivesItBack() throws IOException {
        JsonFactory json = factory(pool);
        assertThat(pool.pooledCount()).isZero();
        try (JsonParser parser = Json.parser(json, DOCUMENT)) {
            assertThat(pool.pooledCount()).isZero();
            assertThat(parser.nextToken()).isEqualTo(JsonToken.START_OBJECT);
            assertThat(Json.nextName(parser)).isEqualTo("a");
            assertThat(parser.nextIntValue(0)).isEqualTo(123);
            assertThat(Json.nextName(parser)).isEqualTo("b");
            assertThat(Json.nextString(parser)).isEqualTo("foobar");
            assertThat(parser.nextToken()).isEqualTo(JsonToken.END_OBJECT);
        }
        assertThat(pool.pooledCount()).isEqualTo(1);
    }

    @Test
    void aParserAndAGeneratorOverlap() throws IOException {
        JsonFactory json = factory(pool);
        StringWriter copy = new StringWriter();
        try (JsonParser parser = Json.parser(json, DOCUMENT);
                JsonGenerator generator = Json.generator(json, copy)) {
            while (parser.nextToken() != null) {
                generator.copyCurrentEvent(parser);
            }
        }
        assertThat(copy).hasToString(DOCUMENT);
        assertThat(pool.pooledCount()).isEqualTo(2);
    }

    @Test
    void aRecyclerIsUsedAgain() throws IOException {
        PerCpuRecyclerPool one = PerCpuRecyclerPool.create(1);
        BufferRecycler used;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (JsonGenerator generator = Json.generator(factory(one), out)) {
            used = Json.recyclerOf(generator);
            assertThat(used.isLinkedWithPool()).isTrue();
            generator.writeString("test");
        }
        assertThat(out).hasToString("\"test\"");
        assertThat(used.isLinkedWithPool()).isFalse();
        assertThat(one.acquireAndLinkPooled()).isSameAs(used);
    }

    @Test
    void aRecyclerKeepsItsBuffers() {
        PerCpuRecyclerPool one = PerCpuRecyclerPool.create(1);
        BufferRecycler recycler = one.acquireAndLinkPooled();
        byte[] buffer = recycler.allocByteBuffer(BufferRecycler.BYTE_READ_IO_BUFFER, 100_000);
        for (int round = 0; round < 3; round++) {
            recycler.releaseByteBuffer(BufferRecycler.BYTE_READ_IO_BUFFER, buffer);
            recycler.releaseToPool();
            recycler = one.acquireAndLinkPooled();
            assertThat(recycler.allocByteBuffer(BufferRecycler.BYTE_READ_IO_BUFFER))
                    .isSameAs(buffer);
        }
    }

    @Test
    void newBuffersAreAsLongAsJacksons() {
        BufferRecycler recycler = pool.acquireAndLinkPooled();
        BufferRecycler jacksons = new BufferRecycler();
        for (int use = 0; use < 4; use++) {
            assertThat(recycler.allocByteBuffer(use)).hasSameSizeAs(jacksons.allocByteBuffer(use));
            assertThat(recycler.allocCharBuffer(use)).hasSameSizeAs(jacksons.allocCharBuffer(use));
            assertThat(recycler.allocByteBuffer(use, 100_000)).hasSize(100_000);
            assertThat(recycler.allocCharBuffer(use, 100_000)).hasSize(100_000);
        }
    }

    @Test
    void aBufferHasOneUserAtATime() {
        BufferRecycler recycler = pool.acquireAndLinkPooled();
        char[] first = recycler.allocCharBuffer(BufferRecycler.CHAR_TEXT_BUFFER);
        recycler.releaseCharBuffer(BufferRecycler.CHAR_TEXT_BUFFER, first);
        assertThat(recycler.allocCharBuffer(BufferRecycler.CHAR_TEXT_BUFFER)).isSameAs(first);
        char[] second = recycler.allocCharBuffer(BufferRecycler.CHAR_TEXT_BUFFER);
        assertThat(second).isNotSameAs(first);
        assertThat(recycler.allocCharBuffer(BufferRecycler.CHAR_CONCAT_BUFFER)).isNotSameAs(first);
        recycler.releaseCharBuffer(BufferRecycler.CHAR_TEXT_BUFFER, second);
        recycler.releaseCharBuffer(BufferRecycler.CHAR_TEXT_BUFFER, first);
        assertThat(recycler.allocCharBuffer(BufferRecycler.CHAR_TEXT_BUFFER)).isSameAs(second);
        assertThat(recycler.allocCharBuffer(BufferRecycler.CHAR_TEXT_BUFFER))
                .isNotSameAs(first)
                .isNotSameAs(second);
    }

    @Test
    void theLongerBufferIsKept() {
        BufferRecycler recycler = pool.acquireAndLinkPooled();
        int use = BufferRecycler.BYTE_WRITE_CONCAT_BUFFER;
        byte[] usual = recycler.allocByteBuffer(use);
        recycler.releaseByteBuffer(use, usual);
        byte[] longer = recycler.allocByteBuffer(use, usual.length + 1);
        assertThat(longer).hasSize(usual.length + 1);
        recycler.releaseByteBuffer(use, longer);
        recycler.releaseByteBuffer(use, usual);
        assertThat(recycler.allocByteBuffer(use)).isSameAs(longer);
    }

    /** So does Jackson 2's generator: it gives its recycler back first, and then its buffers. */
    @Test
    void aBufferMayComeBackAfterItsRecycler() {
        PerCpuRecyclerPool one = PerCpuRecyclerPool.create(1);
        BufferRecycler recycler = one.acquireAndLinkPooled();
        byte[] late = recycler.allocByteBuffer(0);
        recycler.releaseToPool();
        assertThat(one.acquireAndLinkPooled()).isSameAs(recycler);
        byte[] other = recycler.allocByteBuffer(0);
        assertThat(other).isNotSameAs(late);
        recycler.releaseByteBuffer(0, late);
        recycler.releaseByteBuffer(0, other);
        assertThat(recycler.allocByteBuffer(0)).isSameAs(late);
    }

    @Test
    void surplusDemandIsMetOutsideThePool() {
        List<BufferRecycler> acquired = acquireLinked(12);
        assertThat(distinct(acquired)).hasSize(12);
        acquired.forEach(BufferRecycler::releaseToPool);
        assertThat(pool.pooledCount()).isEqualTo(5);
        List<BufferRecycler> again = acquireLinked(5);
        assertThat(distinct(acquired)).containsAll(again);
        assertThat(pool.pooledCount()).isZero();
    }

    /**
     * The only idle recycler lies on a CPU's stack. On rseq nobody but the owner of that CPU's guard may touch it. On
     * atomic a thread that runs on that CPU may.
     */
    @Test
    void aGuardOfAnotherThreadIsNotWaitedFor() throws Exception {
        PerCpuRecyclerPool one = PerCpuRecyclerPool.create(1);
        BufferRecycler pooled = one.acquireAndLinkPooled();
        pooled.releaseToPool();
        BufferRecycler other;
        List<CpuGuard> guards = allGuards();
        try {
            other = inOtherThread(() -> one.acquireAndLinkPooled());
        } finally {
            close(guards);
        }
        if (PerCpuRuntime.backend().equals("rseq")) {
            assertThat(other).isNotSameAs(pooled);
        }
        // Either way it is there once.
        assertThat(distinct(List.of(other, one.acquirePooled()))).hasSize(2).contains(pooled);
    }

    @Test
    void aThreadThatHoldsGuardsCanUseIt() throws Exception {
        JsonFactory json = factory(pool);
        List<CpuGuard> guards = allGuards();
        try {
            for (int i = 0; i < 3; i++) {
                assertThat(write(json, i)).isEqualTo(written(i));
            }
            BufferRecycler[] surplus = acquireLinked(8).toArray(BufferRecycler[]::new);
            for (BufferRecycler recycler : surplus) {
                recycler.releaseToPool();
            }
        } finally {
            close(guards);
        }
        assertThat(pool.pooledCount()).isEqualTo(5);
    }

    @Test
    void anInterruptedThreadDoesNotWaitAndStaysInterrupted() {
        Thread.currentThread().interrupt();
        List<BufferRecycler> acquired = acquireLinked(7);
        acquired.forEach(BufferRecycler::releaseToPool);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(distinct(acquired)).hasSize(7);
        assertThat(pool.pooledCount()).isEqualTo(5);
    }

    @Test
    void anotherThreadMayReleaseIt() throws Exception {
        BufferRecycler recycler = pool.acquireAndLinkPooled();
        inOtherThread(() -> {
            recycler.releaseToPool();
            return null;
        });
        assertThat(pool.pooledCount()).isEqualTo(1);
    }

    @Test
    void releasingToThePoolAgainDoesNothing() {
        BufferRecycler recycler = pool.acquireAndLinkPooled();
        recycler.releaseToPool();
        recycler.releaseToPool();
        assertThat(pool.pooledCount()).isEqualTo(1);
        assertThat(distinct(acquireLinked(2))).hasSize(2);
    }

    @Test
    void aRecyclerThatIsIdleCannotBeReleased() {
        BufferRecycler recycler = pool.acquirePooled();
        pool.releasePooled(recycler);
        assertThatIllegalStateException()
                .isThrownBy(() -> pool.releasePooled(recycler))
                .withMessageContaining("not held");
        assertThat(pool.pooledCount()).isEqualTo(1);
    }

    @Test
    void nullIsRefusedAsByJacksonsDeque() {
        assertThatNullPointerException()
                .isThrownBy(() -> JsonRecyclerPools.newConcurrentDequePool().releasePooled(null));
        assertThatNullPointerException().isThrownBy(() -> pool.releasePooled(null));
    }

    /** With Jackson's own pools it stays linked, and whoever acquires it next cannot link it again. */
    @Test
    void aLinkedRecyclerMayBeReleasedDirectly() {
        PerCpuRecyclerPool one = PerCpuRecyclerPool.create(1);
        BufferRecycler recycler = one.acquireAndLinkPooled();
        one.releasePooled(recycler);
        assertThat(recycler.isLinkedWithPool()).isFalse();
        recycler.releaseToPool();
        assertThat(one.pooledCount()).isEqualTo(1);
        assertThat(one.acquireAndLinkPooled()).isSameAs(recycler);
    }

    @Test
    void aRecyclerIsLinkedOnce() {
        BufferRecycler recycler = pool.acquireAndLinkPooled();
        assertThatIllegalStateException().isThrownBy(() -> recycler.withPool(pool));
        assertThatIllegalStateException().isThrownBy(() -> recycler.withPool(new Wrapper(pool)));
        recycler.releaseToPool();
        assertThat(pool.pooledCount()).isEqualTo(1);
    }

    /** Another pool may take its recyclers from this one: they come back through it. */
    @Test
    void aRecyclerMayBeLinkedToAnotherPool() {
        Wrapper wrapper = new Wrapper(pool);
        BufferRecycler recycler = wrapper.acquireAndLinkPooled();
        assertThat(recycler.isLinkedWithPool()).isTrue();
        assertThatIllegalStateException().isThrownBy(() -> recycler.withPool(pool));
        recycler.releaseToPool();
        assertThat(recycler.isLinkedWithPool()).isFalse();
        assertThat(wrapper.released).isEqualTo(1);
        assertThat(pool.pooledCount()).isEqualTo(1);
    }

    private static final class Wrapper implements RecyclerPool<BufferRecycler> {
        private static final long serialVersionUID = 1L;

        private final PerCpuRecyclerPool pool;
        private int released;

        private Wrapper(PerCpuRecyclerPool pool) {
            this.pool = pool;
        }

        @Override
        public BufferRecycler acquirePooled() {
            return pool.acquirePooled();
        }

        @Override
        public void releasePooled(BufferRecycler recycler) {
            released++;
            pool.releasePooled(recycler);
        }
    }

    @Test
    void recyclersOfOtherPoolsDoNotGetIn() {
        PerCpuRecyclerPool other = PerCpuRecyclerPool.create(1);
        pool.releasePooled(new BufferRecycler());
        pool.releasePooled(other.acquirePooled());
        assertThat(pool.pooledCount()).isZero();
        assertThat(other.pooledCount()).isEqualTo(1);
    }

    @Test
    void clearDropsWhatIsIdle() {
        BufferRecycler held = pool.acquireAndLinkPooled();
        BufferRecycler idle = pool.acquireAndLinkPooled();
        idle.releaseToPool();
        assertThat(pool.clear()).isTrue();
        assertThat(pool.pooledCount()).isZero();
        held.releaseToPool();
        assertThat(pool.pooledCount()).isEqualTo(1);
        assertThat(distinct(acquireLinked(5))).contains(held).doesNotContain(idle);
    }

    /** On rseq a thread may not touch the stack of a CPU whose guard another thread holds. */
    @Test
    void clearSaysWhetherARecyclerIsLeft() throws Exception {
        pool.acquireAndLinkPooled().releaseToPool();
        List<CpuGuard> guards = allGuards();
        try {
            boolean all = inOtherThread(pool::clear);
            assertThat(all).isEqualTo(pool.pooledCount() == 0);
            if (PerCpuRuntime.backend().equals("rseq")) {
                assertThat(all).isFalse();
            }
        } finally {
            close(guards);
        }
        assertThat(pool.clear()).isTrue();
        assertThat(pool.pooledCount()).isZero();
    }

    @Test
    void theSharedPoolIsSerializedAsSuch() throws Exception {
        assertThat(PerCpuRecyclerPool.shared()).isSameAs(PerCpuRecyclerPool.shared());
        assertThat(serialized(PerCpuRecyclerPool.shared())).isSameAs(PerCpuRecyclerPool.shared());
        assertThat(PerCpuRecyclerPool.shared().capacity())
                .isEqualTo(128 * Runtime.getRuntime().availableProcessors());
        assertThat(PerCpuRuntime.variables())
                .extracting(variable -> variable.name())
                .contains("Jackson buffers");
    }

    @Test
    void anyOtherPoolIsSerializedAsItsCapacity() throws Exception {
        pool.acquireAndLinkPooled().releaseToPool();
        PerCpuRecyclerPool copy = serialized(pool);
        assertThat(copy).isNotSameAs(pool).isNotSameAs(PerCpuRecyclerPool.shared());
        assertThat(copy.capacity()).isEqualTo(5);
        assertThat(copy.pooledCount()).isZero();
        assertThat(write(factory(copy), 1)).isEqualTo(written(1));
        assertThat(copy.pooledCount()).isEqualTo(1);
        assertThat(serialized(PerCpuRecyclerPool.create("named", 5)).capacity()).isEqualTo(5);
    }

    @Test
    void aFactoryIsSerializedWithIt() throws Exception {
        assertThat(write(serialized(factory(pool)), 7)).isEqualTo(written(7));
    }

    @Test
    void aThousandVirtualThreadsWriteAndRead() throws Exception {
        JsonFactory json = factory(pool);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> ended = new ArrayList<>();
            for (int thread = 0; thread < 1000; thread++) {
                int id = thread;
                ended.add(threads.submit(() -> {
                    for (int round = 0; round < 50; round++) {
                        int number = 1000 * id + round;
                        String text = write(json, number);
                        assertThat(text).isEqualTo(written(number));
                        assertThat(read(json, text)).isEqualTo(number);
                    }
                    return null;
                }));
            }
            for (Future<?> end : ended) {
                end.get();
            }
        }
        assertThat(pool.pooledCount()).isBetween(1, 5);
        assertThat(distinct(acquireLinked(100))).hasSize(100);
    }

    /** A holder that sees another's mark in its recycler is not alone with it. */
    @Test
    @SuppressWarnings("ThreadPriorityCheck") // so that others run while it holds one
    void nobodySharesARecycler() throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> ended = new ArrayList<>();
            for (int thread = 0; thread < 100; thread++) {
                int id = thread;
                ended.add(threads.submit(() -> {
                    for (int round = 0; round < 300; round++) {
                        BufferRecycler recycler = pool.acquireAndLinkPooled();
                        byte[] mark = new byte[10_000 + id];
                        byte[] _ = recycler.allocByteBuffer(0);
                        recycler.releaseByteBuffer(0, mark);
                        Thread.yield();
                        assertThat(recycler.allocByteBuffer(0)).isSameAs(mark);
                        recycler.releaseToPool();
                    }
                    return null;
                }));
            }
            for (Future<?> end : ended) {
                end.get();
            }
        }
    }

    /** Each writes its mark into its buffer and finds it there, although it has given its recycler back. */
    @Test
    @SuppressWarnings("ThreadPriorityCheck") // so that others run while it has a buffer
    void nobodySharesABuffer() throws Exception {
        PerCpuRecyclerPool few = PerCpuRecyclerPool.create(2);
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<?>> ended = new ArrayList<>();
            for (int thread = 0; thread < 4; thread++) {
                byte mark = (byte) thread;
                ended.add(threads.submit(() -> {
                    for (int round = 0; round < 20_000; round++) {
                        BufferRecycler recycler = few.acquireAndLinkPooled();
                        byte[] buffer = recycler.allocByteBuffer(round % 2, round % 3 == 0 ? 9_000 : 0);
                        buffer[0] = mark;
                        recycler.releaseToPool();
                        if (round % 5 == 0) {
                            Thread.yield();
                        }
                        assertThat(buffer[0]).isEqualTo(mark);
                        recycler.releaseByteBuffer(round % 2, buffer);
                    }
                    return null;
                }));
            }
            for (Future<?> end : ended) {
                end.get();
            }
        }
    }

    @Test
    void aPoolOfItsOwnCanHaveAName() {
        PerCpuRecyclerPool named = PerCpuRecyclerPool.create("reports", 1);
        try {
            assertThat(named.capacity()).isEqualTo(1);
            assertThat(PerCpuRuntime.variables())
                    .extracting(variable -> variable.name())
                    .contains("reports");
        } finally {
            Reference.reachabilityFence(named);
        }
        assertThatIllegalArgumentException().isThrownBy(() -> PerCpuRecyclerPool.create(" ", 1));
        assertThatNullPointerException().isThrownBy(() -> PerCpuRecyclerPool.create(null, 1));
    }

    @Test
    void theCapacityIsPositive() {
        for (int capacity : new int[] {0, -1, Integer.MIN_VALUE}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> PerCpuRecyclerPool.create(capacity))
                    .withMessageContaining("not " + capacity + ".");
        }
        assertThat(pool).hasToString("Jackson buffers in a PerCpuPool (capacity 5)");
    }

    private static JsonFactory factory(RecyclerPool<BufferRecycler> pool) {
        return JsonFactory.builder().recyclerPool(pool).build();
    }

    private static String write(JsonFactory json, int number) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (JsonGenerator generator = Json.generator(json, out)) {
            generator.writeStartObject();
            Json.writeNumber(generator, "number", number);
            generator.writeEndObject();
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    private static String written(int number) {
        return "{\"number\":" + number + "}";
    }

    private static int read(JsonFactory json, String text) throws IOException {
        try (JsonParser parser = Json.parser(json, text.getBytes(StandardCharsets.UTF_8))) {
            assertThat(parser.nextToken()).isEqualTo(JsonToken.START_OBJECT);
            assertThat(Json.nextName(parser)).isEqualTo("number");
            return parser.nextIntValue(-1);
        }
    }

    private List<BufferRecycler> acquireLinked(int count) {
        List<BufferRecycler> acquired = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            acquired.add(pool.acquireAndLinkPooled());
        }
        return acquired;
    }

    private static Set<BufferRecycler> distinct(List<BufferRecycler> recyclers) {
        Set<BufferRecycler> set = Collections.newSetFromMap(new IdentityHashMap<>());
        set.addAll(recyclers);
        return set;
    }

    @SuppressWarnings("MustBeClosedChecker") // the caller closes them
    private static List<CpuGuard> allGuards() {
        List<CpuGuard> guards = new ArrayList<>();
        for (CpuId cpu : CpuMask.possible()) {
            guards.add(CpuGuard.acquire(cpu));
        }
        return guards;
    }

    private static void close(List<CpuGuard> guards) {
        guards.reversed().forEach(CpuGuard::close);
    }

    private static <T> T inOtherThread(Callable<T> task) throws ExecutionException, InterruptedException {
        try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
            return thread.submit(task).get();
        }
    }

    @SuppressWarnings({"unchecked", "BanSerializableRead"})
    private static <T> T serialized(T object) throws IOException, ClassNotFoundException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(object);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            return (T) in.readObject();
        }
    }
}
