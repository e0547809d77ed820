package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.concurrent.HistogramBuilder;
import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuBoundedCounter;
import dev.percpu.concurrent.PerCpuBuckets;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuDoubleAccumulator;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import dev.percpu.concurrent.PerCpuEvent;
import dev.percpu.concurrent.PerCpuEvent.Argument;
import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PerCpuReadWriteLock;
import dev.percpu.concurrent.PerCpuRef;
import dev.percpu.concurrent.PerCpuSummary;
import dev.percpu.concurrent.Pooled;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Garbage;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.function.Function;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Everything can have a name, and what has one is listed for as long as there is something to list. */
class NamesTest {
    /** Bytes of variables that nobody can reach. All others in this class take less. */
    private static final long DROPPED = 1 << 16;

    private static List<String> listed(String prefix) {
        return PerCpuRuntime.variables().stream()
                .filter(variable -> variable.name().startsWith(prefix))
                .map(variable -> variable.name() + ": " + variable.type())
                .toList();
    }

    /** A program that keeps only a part of a structure uses the structure. */
    @Test
    void whatAPartOfIsUsedStaysListed() throws InterruptedException {
        List<Object> parts = new ArrayList<>();
        parts.add(new PerCpuReadWriteLock("part of: read").readLock());
        parts.add(new PerCpuReadWriteLock("part of: write").writeLock());
        parts.add(new PerCpuReadWriteLock("part of: condition").writeLock().newCondition());
        parts.add(PerCpuNumeric.of(DynamicPerCpu.createNumeric("part of: cells", NumericWidth.LONG, 0)));
        parts.add(PerCpuHistogram.builder().name("part of: reader").build().reader());
        parts.add(PerCpuPool.builder(1, Object::new)
                .name("part of: pooled")
                .build()
                .tryAcquire());
        parts.add(PerCpuEvent.builder()
                .add(new PerCpuCounter("part of: event"), 1)
                .build());
        WeakReference<Object> garbage = new WeakReference<>(new Object());
        try {
            Garbage.collectUntil(() -> garbage.refersTo(null));
            assertThat(listed("part of: ")).hasSize(parts.size());
        } finally {
            Reference.reachabilityFence(parts);
        }
    }

    /**
     * Something that takes a name.
     *
     * @param type what a listing calls it
     */
    record Named(String type, Function<String, Object> maker) {
        private static final String MEMORY = ValueLayout.JAVA_LONG.toString();

        /** What lives as long as the process. */
        private static final List<Named> STATIC = List.of(
                new Named("LONG", name -> PerCpuNumeric.define(name, NumericWidth.LONG)),
                new Named("LONG", name -> PerCpuNumeric.define(name, NumericWidth.LONG, 1)),
                new Named("DOUBLE", PerCpuDouble::define),
                new Named("DOUBLE", name -> PerCpuDouble.define(name, 1)),
                new Named("object", name -> StaticPerCpu.define(name, Object::new)),
                new Named(MEMORY, name -> StaticPerCpu.define(name, ValueLayout.JAVA_LONG)),
                new Named("guarded LONG", name -> StaticPerCpu.defineNumeric(name, NumericWidth.LONG, 1)));

        private static final List<Named> DYNAMIC = List.of(
                new Named("PerCpuCounter", PerCpuCounter::new),
                new Named("PerCpuCounterArray", name -> new PerCpuCounterArray(name, 2)),
                new Named("PerCpuBuckets", name -> new PerCpuBuckets(name, 2)),
                new Named("PerCpuDoubleCounter", PerCpuDoubleCounter::new),
                new Named("PerCpuAccumulator", name -> new PerCpuAccumulator(name, Long::max, 0)),
                new Named("PerCpuAccumulator", PerCpuAccumulator::maximum),
                new Named("PerCpuAccumulator", PerCpuAccumulator::minimum),
                new Named("PerCpuDoubleAccumulator", name -> new PerCpuDoubleAccumulator(name, Double::max, 0)),
                new Named("PerCpuBoundedCounter", PerCpuBoundedCounter::new),
                new Named("PerCpuBoundedCounter", name -> new PerCpuBoundedCounter(name, 32)),
                new Named("PerCpuSummary", PerCpuSummary::new),
                new Named(
                        "PerCpuHistogram",
                        name -> PerCpuHistogram.builder().name(name).build()),
                new Named(
                        "PerCpuPool",
                        name -> PerCpuPool.builder(2, Object::new).name(name).build()),
                new Named("PerCpuReadWriteLock", PerCpuReadWriteLock::new),
                new Named("PerCpuReadWriteLock", name -> new PerCpuReadWriteLock(name, true)),
                new Named("PerCpuRef", name -> new PerCpuRef(name, () -> {})),
                new Named("INT", name -> PerCpuNumeric.create(name, NumericWidth.INT)),
                new Named("LONG", name -> PerCpuNumeric.create(name, NumericWidth.LONG, 1)),
                new Named("DOUBLE", name -> PerCpuDouble.create(name)),
                new Named("DOUBLE", name -> PerCpuDouble.create(name, 1)),
                new Named(MEMORY, name -> DynamicPerCpu.createZero(name, ValueLayout.JAVA_LONG)),
                new Named(MEMORY, name -> DynamicPerCpu.createZero(name, ValueLayout.JAVA_LONG, Function.identity())),
                new Named("object", name -> DynamicPerCpu.createWith(name, Object::new)),
                new Named("object", name -> DynamicPerCpu.createFrom(name, _ -> new Object())),
                new Named("guarded LONG", name -> DynamicPerCpu.createNumeric(name, NumericWidth.LONG, 1)));

        /** In the order of a listing. */
        static final List<Named> ALL =
                Stream.concat(STATIC.stream(), DYNAMIC.stream()).toList();
    }

    @Test
    void whatHasANameIsListed() {
        List<Object> kept = new ArrayList<>();
        List<String> expected = new ArrayList<>();
        for (Named each : Named.ALL) {
            String name = "named " + kept.size();
            kept.add(each.maker().apply(name));
            expected.add(name + ": " + each.type());
        }
        try {
            assertThat(listed("named ")).containsExactlyElementsOf(expected);
        } finally {
            Reference.reachabilityFence(kept);
        }
    }

    @Test
    void whatIsClosedIsNotListed() {
        DynamicNumeric number = PerCpuNumeric.create("closed number", NumericWidth.INT, 0);
        DynamicDouble real = PerCpuDouble.create("closed double", 0);
        DynamicPerCpu<Object> variable = DynamicPerCpu.createWith("closed variable", Object::new);
        PerCpuPool<Object> pool =
                PerCpuPool.builder(1, Object::new).name("closed pool").build();
        DynamicPerCpu<Object> shared = variable.share();
        number.close();
        real.close();
        variable.close();
        pool.close();
        assertThat(listed("closed ")).as("one handle is open").containsExactly("closed variable: object");
        shared.close();
        assertThat(listed("closed ")).isEmpty();
    }

    @Test
    void whatNobodyCanReachIsNotListed() throws InterruptedException {
        PerCpuCounter kept = new PerCpuCounter("kept");
        try {
            new PerCpuCounter("dropped").increment();
            while (!listed("dropped").isEmpty()) {
                System.gc();
                Thread.sleep(1);
            }
            assertThat(listed("kept")).hasSize(1);
        } finally {
            Reference.reachabilityFence(kept);
        }
    }

    @Test
    void whatNobodyCanReachGivesItsMemoryBack() throws InterruptedException {
        for (Named each : Named.DYNAMIC) {
            long before = PerCpuRuntime.area().usedBytesPerCpu();
            // More than what others have dropped: that may come back meanwhile, and would hide that this does not.
            for (int i = 0; i < 10_000 && PerCpuRuntime.area().usedBytesPerCpu() < before + DROPPED; i++) {
                Object _ = each.maker().apply("dropped");
            }
            Garbage.collectUntil(() -> PerCpuRuntime.area().usedBytesPerCpu() <= before + 64);
        }
    }

    @Test
    void aNameMustSaySomething() {
        for (@Nullable String name : new String[] {null, "", " "}) {
            assertNameIsRefused(name, () -> PerCpuEvent.builder().name(name));
            Named.ALL.forEach(
                    each -> assertNameIsRefused(name, () -> each.maker().apply(name)));
        }
    }

    private static void assertNameIsRefused(@Nullable String name, ThrowingCallable making) {
        assertThatThrownBy(making)
                .isInstanceOf(name == null ? NullPointerException.class : IllegalArgumentException.class)
                .hasMessageContaining("a name must not be ");
    }

    @Test
    void messagesSayWhichOne() {
        PerCpuPool<Object> pool =
                PerCpuPool.builder(1, Object::new).name("sessions").build();
        Pooled<Object> session = pool.tryAcquire();
        session.release();
        assertThatThrownBy(session::release).hasMessageContaining("sessions");
        assertThatThrownBy(() -> pool.trim(-1)).hasMessageContaining("sessions");
        pool.close();
        assertThatThrownBy(pool::acquire).hasMessageContaining("sessions");
        DynamicNumeric number = PerCpuNumeric.create("requests", NumericWidth.LONG, 0);
        number.close();
        assertThatThrownBy(number::increment).hasMessageContaining("requests");
        DynamicDouble real = PerCpuDouble.create("seconds", 0);
        real.close();
        assertThatThrownBy(() -> real.add(1)).hasMessageContaining("seconds");
        DynamicPerCpu<Object> variable = DynamicPerCpu.createWith("buffers", Object::new);
        variable.close();
        assertThatThrownBy(variable::ptr).hasMessageContaining("buffers");
        PerCpuRef ref = new PerCpuRef("connection", () -> {});
        assertThatThrownBy(ref::reinit).hasMessageContaining("connection");
        assertThatThrownBy(ref::resurrect).hasMessageContaining("connection");
    }

    @Test
    void messagesOfALockSayWhichOne() throws InterruptedException {
        PerCpuReadWriteLock lock = new PerCpuReadWriteLock("routes");
        Lock read = lock.readLock();
        Lock write = lock.writeLock();
        Condition condition = write.newCondition();
        Condition stranger = new PerCpuReadWriteLock("tariffs").writeLock().newCondition();
        assertThat(condition.toString()).contains("routes");
        assertThatThrownBy(read::newCondition).hasMessageContaining("routes");
        assertThatThrownBy(write::unlock).hasMessageContaining("routes");
        assertThatThrownBy(condition::signal).hasMessageContaining("routes");
        assertThatThrownBy(() -> lock.hasWaiters(condition)).hasMessageContaining("routes");
        assertThatThrownBy(() -> lock.hasWaiters(stranger))
                .hasMessageContaining("routes")
                .hasMessageContaining("tariffs");
        assertThatThrownBy(read::unlock).hasMessageContaining("routes");
        write.lock();
        try (CpuGuard _ = CpuGuard.acquire()) {
            assertThatThrownBy(condition::await)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("routes");
        } finally {
            write.unlock();
        }
        whileAnotherThreadHas(read, () -> {
            try (CpuGuard _ = CpuGuard.acquire()) {
                assertThatThrownBy(write::lock).hasMessageContaining("routes");
                assertThatThrownBy(write::lockInterruptibly).hasMessageContaining("routes");
                assertThatThrownBy(() -> write.tryLock(1, TimeUnit.HOURS)).hasMessageContaining("routes");
            }
        });
        whileAnotherThreadHas(write, () -> {
            try (CpuGuard _ = CpuGuard.acquire()) {
                assertThatThrownBy(read::lock).hasMessageContaining("routes");
            }
        });
    }

    private static void whileAnotherThreadHas(Lock lock, Runnable action) throws InterruptedException {
        CountDownLatch locked = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(1);
        Thread other = Thread.startVirtualThread(() -> {
            lock.lock();
            try {
                locked.countDown();
                done.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            } finally {
                lock.unlock();
            }
        });
        locked.await();
        try {
            action.run();
        } finally {
            done.countDown();
            other.join();
        }
    }

    @Test
    void messagesOfACounterSayWhichOne() {
        PerCpuBoundedCounter quota = new PerCpuBoundedCounter("quota", 2);
        assertThatThrownBy(() -> quota.tryAdd(-1, 10)).hasMessageContaining("quota");
        assertThatThrownBy(() -> quota.trySub(-1, 10)).hasMessageContaining("quota");
        assertThatThrownBy(() -> new PerCpuBoundedCounter("quota", 0)).hasMessageContaining("quota");
        assertThatThrownBy(() -> quota.add(Long.MAX_VALUE))
                .isInstanceOf(ArithmeticException.class)
                .hasMessageContaining("quota");
        PerCpuCounterArray answers = new PerCpuCounterArray("answers", 2);
        PerCpuEvent event = PerCpuEvent.builder()
                .name("request")
                .increment(answers, Argument.FIRST)
                .build();
        assertThatThrownBy(() -> answers.increment(2))
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessageContaining("answers");
        assertThatThrownBy(() -> event.record(-1))
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessageContaining("answers");
        assertThatThrownBy(() -> PerCpuEvent.builder().name("response").build()).hasMessageContaining("response");
        PerCpuBuckets sizes = new PerCpuBuckets("sizes", 2);
        assertThatThrownBy(() -> sizes.record(-1, 1))
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessageContaining("sizes");
        PerCpuRef ref = new PerCpuRef("connection", () -> {});
        assertThatThrownBy(() -> ref.get(0)).hasMessageContaining("connection");
    }

    @Test
    void messagesOfAHistogramSayWhichOne() {
        HistogramBuilder builder = PerCpuHistogram.builder().name("latency");
        assertThatThrownBy(() -> builder.bounds(2, 1)).hasMessageContaining("latency");
        assertThatThrownBy(() -> builder.bounds(Long.MAX_VALUE)).hasMessageContaining("latency");
        assertThatThrownBy(builder::bounds).hasMessageContaining("latency");
        assertThatThrownBy(() -> builder.precisionBits(17)).hasMessageContaining("latency");
        assertThatThrownBy(() -> builder.relativeError(2)).hasMessageContaining("latency");
        assertThatThrownBy(() -> builder.lowestDiscernible(0)).hasMessageContaining("latency");
        PerCpuHistogram histogram = builder.build();
        assertThatThrownBy(() -> histogram.record(1, -1)).hasMessageContaining("latency");
        builder.highestTrackable(1);
        assertThatThrownBy(builder::build).hasMessageContaining("latency");
        builder.bounds(1, 2);
        assertThatThrownBy(builder::build).hasMessageContaining("latency");
    }

    @Test
    void locksAreEqualToThemselvesOnly() {
        PerCpuReadWriteLock one = new PerCpuReadWriteLock();
        PerCpuReadWriteLock other = new PerCpuReadWriteLock();
        assertThat(one.readLock()).isEqualTo(one.readLock()).isNotEqualTo(other.readLock());
        assertThat(one.readLock().hashCode()).isEqualTo(System.identityHashCode(one.readLock()));
    }
}
