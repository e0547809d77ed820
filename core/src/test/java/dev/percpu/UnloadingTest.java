package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.concurrent.PerCpuBoundedCounter;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PerCpuReadWriteLock;
import dev.percpu.concurrent.PerCpuRef;
import dev.percpu.concurrent.Pooled;
import dev.percpu.cpu.CpuId;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Deployment;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.MemoryLimit;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.Lock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An application that brings the library along is deployed again and again: what remains of it each time. */
@Tag("native")
class UnloadingTest {
    private static final int DEPLOYMENTS = 20;

    /** The application: it uses what there is, and closes half of it. Loaded by a class loader of its own. */
    static final class Application implements Runnable, Supplier<MemorySegment> {
        private static final PerCpuNumeric REQUESTS = PerCpuNumeric.define("requests", NumericWidth.LONG);
        private static final StaticPerCpu<long[]> SIZES = StaticPerCpu.define("sizes", () -> new long[1]);
        private static final DynamicPerCpu<MemorySegment> MEMORY = DynamicPerCpu.createZero(ValueLayout.JAVA_LONG);
        private static final DynamicPerCpu<NumericCell> NUMBER = DynamicPerCpu.createNumeric(NumericWidth.INT, 1);
        private static final StaticPerCpu<MemorySegment> STATIC_MEMORY =
                StaticPerCpu.define("memory", ValueLayout.JAVA_LONG);
        private static final PerCpuCounter COUNTER = new PerCpuCounter();
        private static final PerCpuBoundedCounter BOUNDED = new PerCpuBoundedCounter();
        private static final PerCpuHistogram HISTOGRAM =
                PerCpuHistogram.builder().build();
        private static final PerCpuPool<List<Object>> POOL =
                PerCpuPool.<List<Object>>builder(10, ArrayList::new).build();
        /** Never released. */
        private static final Pooled<List<Object>> HELD = Objects.requireNonNull(POOL.tryAcquire());

        private static final PerCpuReadWriteLock LOCK = new PerCpuReadWriteLock();
        private static final PerCpuRef REF = new PerCpuRef(() -> {});

        Application() {}

        @Override
        public void run() {
            CpuId.onEachCpu(cpu -> {
                REQUESTS.increment();
                COUNTER.increment();
                BOUNDED.add(1);
                HISTOGRAM.record(cpu.id());
                SIZES.run(sizes -> sizes[0]++);
                MEMORY.run(memory -> memory.set(ValueLayout.JAVA_LONG, 0, 1));
                NUMBER.run(number -> number.add(1));
                try (Pooled<List<Object>> pooled = POOL.tryAcquire()) {
                    pooled.get().add(MEMORY);
                }
            });
            PerCpuNumeric.of(NUMBER).increment();
            try (CpuGuard guard = CpuGuard.acquire(CpuId.of(0))) {
                MEMORY.getMut(guard).run(memory -> memory.set(ValueLayout.JAVA_LONG, 0, 2));
            }
            lockAndUnlock(LOCK.readLock());
            lockAndUnlock(LOCK.writeLock());
            REF.get();
            REF.put();
            HELD.get().add(LOCK);
            POOL.close();
            DynamicPerCpu.createZero(ValueLayout.JAVA_LONG).close();
            if (REQUESTS.sum() != COUNTER.sum()
                    || REQUESTS.sum() != HISTOGRAM.snapshot().count()) {
                throw new AssertionError(REQUESTS + ", " + COUNTER + ", " + HISTOGRAM);
            }
        }

        /** The memory of one of its variables. */
        @Override
        public MemorySegment get() {
            return STATIC_MEMORY.ptr().getPtr();
        }

        private static void lockAndUnlock(Lock lock) {
            lock.lock();
            try {
                REQUESTS.increment();
            } finally {
                REQUESTS.decrement();
                lock.unlock();
            }
        }
    }

    /** Deploys the application, and looks what is there when its class loader is gone. */
    static final class Probe {
        private static final ReferenceQueue<Object> UNLOADED = new ReferenceQueue<>();

        /** A segment that the application has handed out. */
        private static @Nullable Object kept;

        private Probe() {}

        public static void main(String[] arguments) throws Exception {
            deployAndUnload();
            long before = MemoryLimit.ADDRESS_SPACE.size();
            for (int i = 0; i < DEPLOYMENTS; i++) {
                deployAndUnload();
            }
            System.out.println("unloaded: " + DEPLOYMENTS);
            System.out.println("threads: " + Deployment.threads());
            System.out.println(
                    "megabytes for each: " + (MemoryLimit.ADDRESS_SPACE.size() - before) / (1 << 20) / DEPLOYMENTS);
        }

        private static void deployAndUnload() throws Exception {
            Reference<Object> deployed = deploy();
            for (int i = 0; i < 5; i++) {
                System.gc();
                // Were the area unmapped already, this would be the end.
                ((MemorySegment) Objects.requireNonNull(kept)).set(ValueLayout.JAVA_LONG, 0, i);
            }
            if (UNLOADED.poll() != null) {
                throw new AssertionError("unloaded though a segment is kept");
            }
            kept = null;
            while (UNLOADED.remove(1) == null) {
                System.gc();
            }
            if (!deployed.refersTo(null)) {
                throw new AssertionError("another one was unloaded");
            }
            // The thread unmaps the area, and ends.
            while (Deployment.threads() > 0) {
                Thread.sleep(1);
            }
        }

        private static Reference<Object> deploy() throws Exception {
            // It is closed at once: what the library does later must not need a class that was not used before.
            try (URLClassLoader loader = Deployment.loader()) {
                Thread.currentThread().setContextClassLoader(loader);
                Object deployed = Deployment.make(loader, Application.class);
                ((Runnable) deployed).run();
                kept = ((Supplier<?>) deployed).get();
                Thread.currentThread().setContextClassLoader(null);
                return new PhantomReference<>(loader, UNLOADED);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsRedeployedLeavesNothingButItsCode(boolean checked) {
        assertThat(Jvm.asHere().option("-Dpercpu.checked=" + checked).outputOf(Probe.class))
                .contains("unloaded: " + DEPLOYMENTS, "threads: 0\n")
                .containsPattern("megabytes for each: -?[0-9]{1,2}\n");
    }
}
