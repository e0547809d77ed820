package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.percpu.CpuGuard;
import dev.percpu.cpu.CpuId;
import dev.percpu.testing.LogCapture;
import dev.percpu.testing.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Threads that wait for an object for seconds are reported, and whatever ends their wait still does. */
class LongPoolWaitTest extends PoolStacksFixture {
    /** A pool both of whose objects are lent, and a thread that waits for one. */
    private static final class Leak {
        final PerCpuPool<Object> pool;
        final Pooled<Object> held;
        final FutureTask<@Nullable Throwable> outcome;
        final Thread waiter;

        Leak(String name, Thread.Builder threads) throws InterruptedException {
            pool = PerCpuPool.builder(2, Object::new).name(name).build();
            held = pool.acquire();
            Pooled<Object> _ = pool.acquire();
            outcome = waitFor(pool);
            waiter = threads.name(name + "'s waiter").start(outcome);
        }
    }

    @Test
    void eachPoolIsNamedAndTheWaitGoesOn() throws Exception {
        try (LogCapture log = new LogCapture()) {
            Leak released = new Leak("released", Thread.ofPlatform());
            Leak virtual = new Leak("virtual", Thread.ofVirtual());
            Leak interrupted = new Leak("interrupted", Thread.ofVirtual());
            Leak closed = new Leak("closed", Thread.ofPlatform());
            List<Leak> all = List.of(released, virtual, interrupted, closed);
            log.awaitMessages(all.size(), "'s waiter");
            for (Leak leak : all) {
                String name = leak.waiter.getName();
                assertThat(log.messages())
                        .filteredOn(message -> message.contains(name))
                        .singleElement()
                        .asString()
                        .containsPattern(
                                "WARNING: thread #\\d+ \"" + name
                                        + "\" has waited over \\d+ s for an object of pool \""
                                        + name.replace("'s waiter", "")
                                        + "\" \\(capacity 2\\): 2 objects are held, being made or being destroyed, 1 thread waits; ");
                assertThat(leak.outcome.isDone()).isFalse();
            }
            released.held.release();
            virtual.held.release();
            interrupted.waiter.interrupt();
            closed.pool.close();
            assertThat(released.outcome.get()).isNull();
            assertThat(virtual.outcome.get()).isNull();
            assertThat(interrupted.outcome.get()).isInstanceOf(InterruptedException.class);
            assertThat(closed.outcome.get())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("closed");
        }
    }

    @Test
    void manyThatWaitAreOneReport() throws InterruptedException {
        List<Thread> waiters = new ArrayList<>();
        try (LogCapture log = new LogCapture()) {
            Leak leak = new Leak("crowded", Thread.ofVirtual());
            waiters.add(leak.waiter);
            for (int i = 0; i < 50; i++) {
                waiters.add(Thread.ofVirtual()
                        .start(() -> PerCpuPoolConcurrencyTest.uninterrupted(leak.pool::acquire)
                                .release()));
            }
            log.awaitMessage("pool \"crowded\"");
            // All others began to wait within this time of the first, and look again in it.
            Thread.sleep(1500);
            assertThat(log.awaitMessages(1, "pool \"crowded\"")).hasSize(1);
            leak.held.release();
            Workers.join(waiters);
            assertThat(leak.pool.statistics().waiting()).isZero();
        }
    }

    /** Then objects are idle, but nobody can take them: that is another reason. */
    @Test
    @Tag("rseq")
    void whoKeepsTheGuardOfTheIdleObjectsCpuIsNamed() throws Exception {
        PerCpuPool<Object> pool = poolWithItsObjectOnTheFirstCpu();
        CpuId cpu = CpuId.of(firstCpu);
        FutureTask<@Nullable Throwable> outcome = waitFor(pool);
        try (LogCapture log = new LogCapture()) {
            try (CpuGuard _ = CpuGuard.acquire(cpu)) {
                Thread.ofPlatform().start(outcome);
                assertThat(log.awaitMessage("for an object of a PerCpuPool (capacity 1): "))
                        .contains("0 objects are held, being made or being destroyed, 1 thread waits, and ")
                        .contains("\"" + Thread.currentThread().getName() + "\" has the guard of " + cpu + ", where");
            }
            assertThat(outcome.get()).isNull();
        }
    }

    private static FutureTask<@Nullable Throwable> waitFor(PerCpuPool<Object> pool) {
        return new FutureTask<>(() -> catchThrowable(() -> pool.acquire().release()));
    }
}
