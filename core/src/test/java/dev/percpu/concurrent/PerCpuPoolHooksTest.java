package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.internal.guard.Ownership;
import dev.percpu.testing.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a pool's user has it call: factory, reset and destroy, which may fail and may use the pool. */
class PerCpuPoolHooksTest {
    private final List<Object> destroyed = new ArrayList<>();

    @Test
    void aFailingFactoryLeavesThePlaceFree() {
        AtomicInteger attempts = new AtomicInteger();
        PerCpuPool<Object> pool = PerCpuPool.builder(1, () -> switch (attempts.getAndIncrement()) {
                    case 0 -> throw new IllegalArgumentException("no");
                    case 1 -> null;
                    default -> new Object();
                })
                .build();
        assertThatThrownBy(pool::tryAcquire)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no");
        assertThatThrownBy(pool::acquire)
                .isInstanceOf(NullPointerException.class)
                .hasMessageContaining("factory");
        assertThat(pool.tryAcquire()).isNotNull();
        assertThat(pool.tryAcquire()).isNull();
    }

    @Test
    void anObjectThatCannotBeResetIsDestroyedAndReplaced() {
        PerCpuPool<Object> pool = PerCpuPool.builder(1, Object::new)
                .reset(item -> {
                    throw new IllegalArgumentException("dirty");
                })
                .destroy(destroyed::add)
                .build();
        Pooled<Object> pooled = pool.tryAcquire();
        Object item = pooled.get();
        assertThatThrownBy(pooled::release)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("dirty");
        assertThat(destroyed).containsExactly(item);
        assertThatThrownBy(pooled::release).isInstanceOf(IllegalStateException.class);
        assertThat(pool.tryAcquire().get()).isNotSameAs(item);
        assertThat(pool.statistics().objects()).isEqualTo(1);
    }

    @Test
    void aDiscardedObjectMayBeClosed() throws InterruptedException {
        PerCpuPool<Object> pool =
                PerCpuPool.builder(1, Object::new).destroy(destroyed::add).build();
        try (Pooled<Object> pooled = pool.acquire()) {
            pooled.discard();
        }
        try (Pooled<Object> pooled = pool.acquire()) {
            pooled.discard();
            Pooled<Object> next = pool.acquire();
            assertThatCode(pooled::close).doesNotThrowAnyException();
            assertThat(next.get()).isNotNull();
            next.release();
        }
        assertThat(destroyed).hasSize(2);
        assertThat(pool.statistics().idle()).isEqualTo(1);
    }

    /** Closing a handle twice is a mistake, also if nothing is left that it could do harm to. */
    @Test
    void aReleasedObjectMayNotBeClosed() throws InterruptedException {
        PerCpuPool<Object> pool =
                PerCpuPool.builder(1, Object::new).destroy(destroyed::add).build();
        Pooled<Object> pooled = pool.acquire();
        pooled.close();
        assertThatThrownBy(pooled::close).isInstanceOf(IllegalStateException.class);
        assertThat(pool.trim(0)).isEqualTo(1);
        assertThatThrownBy(pooled::close).isInstanceOf(IllegalStateException.class);
        Pooled<Object> last = pool.acquire();
        pool.close();
        last.close();
        assertThatThrownBy(last::close).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void whatDestroyThrowsForAnObjectThatWasLeftKeepsNoOtherFromBeingDestroyed() {
        for (Consumer<PerCpuPool<Object>> end :
                List.<Consumer<PerCpuPool<Object>>>of(PerCpuPool::close, pool -> pool.trim(0))) {
            destroyed.clear();
            PerCpuPool<Object> pool = PerCpuPool.builder(2, Object::new)
                    .destroy(item -> {
                        destroyed.add(item);
                        throw new IllegalArgumentException("no " + destroyed.size());
                    })
                    .build();
            Pooled<Object> left = pool.tryAcquire();
            pool.tryAcquire().release();
            leave(left);
            assertThatThrownBy(() -> end.accept(pool))
                    .hasMessage("no 1")
                    .satisfies(thrown -> assertThat(thrown.getSuppressed())
                            .singleElement()
                            .satisfies(second -> assertThat(second).hasMessage("no 2")));
            assertThat(pool.statistics().objects()).isZero();
        }
    }

    /** The look for such objects has passed the first one when an error leaves it. */
    @Test
    void whatIsLeftWhileOthersAreLookedForIsFoundByTheNextLook() {
        AtomicReference<Pooled<Object>> passed = new AtomicReference<>();
        PerCpuPool<Object> pool = PerCpuPool.builder(2, Object::new)
                .destroy(_ -> {
                    Pooled<Object> handle = passed.getAndSet(null);
                    if (handle != null) {
                        leave(handle);
                    }
                })
                .build();
        passed.set(pool.tryAcquire());
        Pooled<Object> second = pool.tryAcquire();
        assertThat(second.id).isGreaterThan(passed.get().id);
        leave(second);
        assertThat(pool.trim(0)).isZero();
        assertThat(passed.get()).isNull();
        assertThat(pool.tryAcquire()).isNotNull();
        assertThat(pool.tryAcquire()).isNotNull();
    }

    /** Leaves an object as an error does that breaks its release off. */
    private static void leave(Pooled<Object> handle) {
        handle.state = Pooled.LEAVING;
        handle.unfinished = true;
        handle.pool.ids.unfinished = true;
    }

    /** Nobody acquires anything of a closed pool, so nobody else would come upon what was left. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatWasLeftIsDestroyedAlsoIfTheStacksCannotBeEmptied(boolean closes) {
        PerCpuPool<Object> pool =
                PerCpuPool.builder(2, Object::new).destroy(destroyed::add).build();
        Pooled<Object> left = pool.tryAcquire();
        Object object = left.get();
        Pooled<Object> other = pool.tryAcquire();
        pool.close();
        left.state = Pooled.LEAVING;
        left.unfinished = true;
        pool.ids.unfinished = true;
        // The shared store is full, and one more is on a stack: the same one was released several times.
        while (pool.ids.collect() < pool.capacity()) {
            assertThat(pool.ids.push(other.id)).isTrue();
        }
        assertThat(pool.ids.push(other.id)).isTrue();
        assertThatThrownBy(closes ? pool::close : () -> pool.trim(0))
                .hasMessageStartingWith("more objects were released");
        assertThat(destroyed).containsExactly(object);
    }

    @Test
    void whenResetAndDestroyFailBothAreReported() {
        PerCpuPool<Object> pool = PerCpuPool.builder(1, Object::new)
                .reset(item -> {
                    throw new IllegalArgumentException("dirty");
                })
                .destroy(item -> {
                    throw new UnsupportedOperationException("stuck");
                })
                .build();
        assertThatThrownBy(pool.tryAcquire()::release)
                .hasMessage("dirty")
                .satisfies(thrown -> assertThat(thrown.getSuppressed())
                        .singleElement()
                        .isInstanceOf(UnsupportedOperationException.class));
        assertThat(pool.tryAcquire()).isNotNull();
    }

    @Test
    void closingDestroysAllAndReportsEachFailure() {
        PerCpuPool<Object> pool = PerCpuPool.builder(3, Object::new)
                .destroy(item -> {
                    destroyed.add(item);
                    throw new IllegalArgumentException("stuck " + destroyed.size());
                })
                .build();
        PerCpuPoolTest.acquireAll(pool).forEach(Pooled::release);
        assertThatThrownBy(pool::close)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("stuck 1")
                .satisfies(thrown -> assertThat(thrown.getSuppressed()).hasSize(2));
        assertThat(destroyed).hasSize(3);
        pool.close();
        assertThat(destroyed).hasSize(3);
    }

    @Test
    void hooksMayUseThePoolAndRunWithoutAGuard() {
        AtomicReference<PerCpuPool<Object>> self = new AtomicReference<>();
        AtomicInteger calls = new AtomicInteger();
        AtomicInteger depth = new AtomicInteger();
        Runnable hook = () -> {
            calls.incrementAndGet();
            assertThat(Ownership.ownedBy(Thread.currentThread())).isNegative();
            if (depth.getAndIncrement() == 0) {
                Pooled<Object> nested = self.get().tryAcquire();
                if (nested != null) {
                    nested.release();
                }
                inAnotherThread(() -> self.get().statistics());
            }
            depth.decrementAndGet();
        };
        Consumer<Object> onEach = item -> hook.run();
        self.set(PerCpuPool.builder(4, () -> {
                    hook.run();
                    return new Object();
                })
                .reset(onEach)
                .destroy(onEach)
                .build());
        for (int round = 0; round < 3; round++) {
            PerCpuPoolTest.acquireAll(self.get()).forEach(Pooled::release);
        }
        assertThat(calls.get()).isGreaterThan(12);
        int before = calls.get();
        assertThat(self.get().trim(0)).isPositive();
        assertThat(calls.get()).as("destroyed").isGreaterThan(before);
    }

    private static void inAnotherThread(Runnable task) {
        Thread thread = Thread.ofPlatform().start(task);
        Workers.join(thread);
    }
}
