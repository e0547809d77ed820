package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.concurrent.PerCpuBoundedCounter;
import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PerCpuReadWriteLock;
import dev.percpu.concurrent.PerCpuRef;
import dev.percpu.concurrent.Pooled;
import dev.percpu.memory.NumericWidth;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What users read when they use something wrongly. */
@Tag("once")
class MessagesTest {
    private static void check(Class<? extends Throwable> type, String message, ThrowingCallable wrong) {
        assertThatThrownBy(wrong).isExactlyInstanceOf(type).hasMessage(message);
    }

    @Test
    void aNumberOutOfRange() {
        PerCpuHistogram latency = PerCpuHistogram.builder().name("latency").build();
        PerCpuBoundedCounter stock = new PerCpuBoundedCounter("stock");
        PerCpuPool<Object> pool =
                PerCpuPool.builder(1, Object::new).name("buffers").build();
        PerCpuRef config = new PerCpuRef("config", () -> {});
        Class<IllegalArgumentException> type = IllegalArgumentException.class;

        check(type, "latency: the count of the value 5 must be at least 0, not -1", () -> latency.record(5, -1));
        check(
                type,
                "latency: the precision must be from 0 to 16 bits, not 17",
                () -> PerCpuHistogram.builder().name("latency").precisionBits(17));
        check(type, "a quantile must be from 0 to 1, such as 0.99, not 99.0", () -> {
            latency.record(1);
            long _ = latency.snapshot().quantile(99);
        });
        check(type, "stock: the batch must be from 1 to 1073741824, not 0", () -> new PerCpuBoundedCounter("stock", 0));
        check(
                type,
                "stock: the amount of tryAdd must be at least 0, not -1. To subtract, use sub or trySub",
                () -> stock.tryAdd(-1, 5));
        check(
                type,
                "pool \"buffers\" (capacity 1): the number of objects to keep must be at least 0, not -1",
                () -> pool.trim(-1));
        check(type, "config (live): the number of references must be at least 1, not 0", () -> config.put(0));
    }

    @Test
    void somethingThatIsClosed() throws Exception {
        Class<IllegalStateException> type = IllegalStateException.class;
        DynamicNumeric number = PerCpuNumeric.create(NumericWidth.LONG);
        number.close();
        DynamicPerCpu<Object> variable = DynamicPerCpu.createWith("state", Object::new);
        variable.close();
        PerCpuPool<Object> pool =
                PerCpuPool.builder(1, Object::new).name("buffers").build();
        Pooled<Object> released = pool.acquire();
        released.release();

        check(type, "a dynamic per-CPU number is closed", () -> number.add(1));
        check(type, "this handle of state is closed", variable::ptr);
        check(
                type,
                "object 0 of pool \"buffers\" (capacity 1) is not held: use a handle only while you hold its object,"
                        + " and release it once",
                released::release);
        pool.close();
        check(type, "pool \"buffers\" is closed: acquire before closing it, or make another pool", pool::acquire);
    }

    @Test
    void aReferenceTooMany() {
        Class<IllegalStateException> type = IllegalStateException.class;
        PerCpuRef config = new PerCpuRef("config", () -> {});
        config.get();
        config.kill();

        check(
                type,
                "config (killed, count 1): put(5), but the count is only 1. None is given back",
                () -> config.put(5));
        config.put();
        check(
                type,
                "config (killed, count 0): get() after the count has reached zero. A thread that has no reference yet"
                        + " must call tryGet()",
                config::get);
    }

    @Test
    void aThreadThatMayNot() throws Exception {
        PerCpuReadWriteLock table = new PerCpuReadWriteLock("table");
        Thread me = Thread.currentThread();
        String mine = "thread #" + me.threadId() + " \"" + me.getName() + '"';
        table.writeLock().lock();
        try {
            try (CpuGuard guard = CpuGuard.acquire()) {
                inWorker(worker -> {
                    check(
                            WrongThreadException.class,
                            "the guard of " + guard.cpu() + " belongs to " + mine
                                    + ": only that thread can use and close it, not " + worker,
                            guard::close);
                    check(
                            IllegalMonitorStateException.class,
                            worker + " does not hold the write lock of table, so it cannot unlock it",
                            table.writeLock()::unlock);
                });
            }
            inWorker(_ -> {
                try (CpuGuard guard = CpuGuard.acquire()) {
                    check(
                            IllegalStateException.class,
                            "this thread holds the guard of " + guard.cpu() + ", so it must not wait for a lock of"
                                    + " table: the thread that it would wait for may be waiting for this guard. Close"
                                    + " the guard first, or use a method that does not wait, if there is one",
                            table.readLock()::lock);
                }
            });
        } finally {
            table.writeLock().unlock();
        }
    }

    /** Runs a task in another thread, whose description it gets. */
    private static void inWorker(Consumer<String> task) throws InterruptedException {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread thread = Thread.ofPlatform().name("worker").unstarted(() -> {
            String described = "thread #" + Thread.currentThread().threadId() + " \"worker\"";
            task.accept(described);
        });
        thread.setUncaughtExceptionHandler((_, thrown) -> failure.set(thrown));
        thread.start();
        thread.join();
        assertThat(failure.get()).isNull();
    }

    @Test
    void whatVariablesAndAGuardSayOfThemselves() {
        assertThat(StaticPerCpu.define("state", Object::new)).hasToString("static per-CPU variable state");
        DynamicPerCpu<Object> variable = DynamicPerCpu.createWith("state", Object::new);
        assertThat(variable).hasToString("handle to state");
        variable.close();
        assertThat(variable).hasToString("closed handle to state");
        Thread me = Thread.currentThread();
        try (CpuGuard guard = CpuGuard.acquire()) {
            assertThat(guard)
                    .hasToString("guard of CPU " + guard.cpu().id() + ", held by thread #" + me.threadId() + " \""
                            + me.getName() + '"');
        }
    }
}
