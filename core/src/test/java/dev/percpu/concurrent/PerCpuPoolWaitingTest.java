package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.percpu.internal.guard.UnaskedLooks;
import dev.percpu.testing.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Threads that wait for an object. The time limit ends the wait for a wake-up that is lost. */
class PerCpuPoolWaitingTest {
    private static final long NEVER = TimeUnit.DAYS.toNanos(1);

    /** Makes a pool, or ids, in which a thread that waits looks again only if it is told. */
    static <T> T told(Supplier<T> making) {
        UnaskedLooks.set(NEVER);
        try {
            return making.get();
        } finally {
            UnaskedLooks.reset();
        }
    }

    private static PerCpuPool<Object> toldPool() {
        return told(builder()::build);
    }

    private static PoolBuilder<Object> builder() {
        return PerCpuPool.builder(1, Object::new);
    }

    @Test
    void howLongAThreadWaitsUnaskedIsSetForThePoolsThatAreBuiltThen() {
        assertThat(toldPool().ids.untilUnasked()).isEqualTo(NEVER);
        assertThat(builder().build().ids.untilUnasked()).isEqualTo(TimeUnit.SECONDS.toNanos(1));
    }

    @Test
    void whoWaitsGetsWhatIsReleased() throws InterruptedException {
        for (Thread.Builder threads : List.of(Thread.ofPlatform(), Thread.ofVirtual())) {
            PerCpuPool<Object> pool = toldPool();
            Pooled<Object> held = pool.acquire();
            AtomicReference<Throwable> failure = new AtomicReference<>();
            Thread waiter = threads.start(
                    () -> failure.set(catchThrowable(() -> pool.acquire().release())));
            awaitWaiting(pool, 1);
            held.release();
            Workers.join(waiter);
            assertThat(failure.get()).isNull();
            assertThat(pool.statistics().idle()).isEqualTo(1);
        }
    }

    /** As if the stack had overflowed after the push, and before the look that follows it. */
    @Test
    void whoWaitsFindsUnaskedWhatAReleaseThatWasBrokenOffGaveBack() throws InterruptedException {
        PerCpuPool<Object> pool = builder().build();
        Pooled<Object> held = pool.acquire();
        Thread waiter = waiterThatIsNotTold(pool, held);
        Workers.join(waiter);
        assertThatThrownBy(held::release)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("not held");
    }

    /** It has pushed the object already when it finds that another thread waits. */
    @Test
    void whoWaitsGetsWhatAReleaseFindsThatLooksAgain() throws InterruptedException {
        PerCpuPool<Object> pool = toldPool();
        Pooled<Object> held = pool.acquire();
        Thread waiter = waiterThatIsNotTold(pool, held);
        assertThat(pool.ids.lookAgain()).isEqualTo(PooledIds.NONE);
        Workers.join(waiter);
    }

    @Test
    void whoWaitsGetsThePlaceOfAnObjectThatCouldNotBeReset() throws InterruptedException {
        PerCpuPool<Object> pool = told(builder().reset(item -> {
            throw new IllegalArgumentException("dirty");
        })::build);
        Pooled<Object> held = pool.acquire();
        AtomicReference<Pooled<Object>> got = new AtomicReference<>();
        Thread waiter = Thread.ofVirtual().start(() -> got.set(PerCpuPoolConcurrencyTest.uninterrupted(pool::acquire)));
        awaitWaiting(pool, 1);
        assertThatThrownBy(held::release).hasMessage("dirty");
        Workers.join(waiter);
        assertThat(got.get()).isNotNull().isNotSameAs(held);
    }

    @Test
    void closingWakesWhoWaits() throws InterruptedException {
        List<Object> destroyed = new ArrayList<>();
        PerCpuPool<Object> pool = told(builder().destroy(destroyed::add)::build);
        Pooled<Object> held = pool.acquire();
        List<AtomicReference<Throwable>> failures = List.of(new AtomicReference<>(), new AtomicReference<>());
        List<Thread> waiters = new ArrayList<>();
        for (AtomicReference<Throwable> failure : failures) {
            waiters.add(Thread.ofVirtual().start(() -> failure.set(catchThrowable(pool::acquire))));
        }
        awaitWaiting(pool, 2);
        pool.close();
        Workers.join(waiters);
        assertThat(failures)
                .allSatisfy(failure -> assertThat(failure.get())
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("closed"));
        held.release();
        assertThat(destroyed).hasSize(1);
    }

    @Test
    void waitingEndsWithItsTime() throws InterruptedException {
        PerCpuPool<Object> pool = toldPool();
        assertThat(pool.tryAcquire(1, TimeUnit.NANOSECONDS)).isNotNull();
        assertThat(pool.tryAcquire(0, TimeUnit.NANOSECONDS)).isNull();
        assertThat(pool.tryAcquire(-1, TimeUnit.DAYS)).isNull();
        assertThat(pool.tryAcquire(1, TimeUnit.MILLISECONDS)).isNull();
        assertThat(pool.statistics().waiting()).isZero();
    }

    @Test
    void anInterruptEndsTheWaitAndLosesNothing() throws InterruptedException {
        PerCpuPool<Object> pool = toldPool();
        Pooled<Object> held = pool.acquire();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread waiter = Thread.ofPlatform().start(() -> failure.set(catchThrowable(pool::acquire)));
        awaitWaiting(pool, 1);
        waiter.interrupt();
        Workers.join(waiter);
        assertThat(failure.get()).isInstanceOf(InterruptedException.class);
        assertThat(pool.statistics().waiting()).isZero();
        held.release();
        assertThat(pool.tryAcquire()).isNotNull();
    }

    /** A thread that waits for the object and gives it back. The object is pushed, as by a release up to there. */
    private static Thread waiterThatIsNotTold(PerCpuPool<Object> pool, Pooled<Object> held) {
        Thread waiter = Thread.ofPlatform()
                .start(() ->
                        PerCpuPoolConcurrencyTest.uninterrupted(pool::acquire).release());
        awaitWaiting(pool, 1);
        held.state = Pooled.IDLE;
        assertThat(pool.ids.push(held.id)).isTrue();
        return waiter;
    }

    private static void awaitWaiting(PerCpuPool<?> pool, int threads) {
        while (pool.statistics().waiting() < threads) {
            try {
                Thread.sleep(1);
            } catch (InterruptedException timeIsUp) {
                throw new AssertionError(threads + " threads should wait: " + pool.statistics(), timeIsUp);
            }
        }
    }
}
