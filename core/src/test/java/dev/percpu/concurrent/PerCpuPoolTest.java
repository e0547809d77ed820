package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.OnCpu;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.Area;
import dev.percpu.testing.WithoutCpuId;
import dev.percpu.testing.Workers;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What one thread sees of a pool. The time limit ends a wait for an object that does not come. */
class PerCpuPoolTest {
    private final List<Item> destroyed = new ArrayList<>();

    /** What is pooled. */
    private static final class Item {
        private int resets;

        private void reset() {
            resets++;
        }
    }

    private PerCpuPool<Item> pool(int capacity) {
        return PerCpuPool.builder(capacity, Item::new)
                .reset(Item::reset)
                .destroy(destroyed::add)
                .build();
    }

    static <T> List<Pooled<T>> acquireAll(PerCpuPool<T> pool) {
        List<Pooled<T>> all = new ArrayList<>();
        for (Pooled<T> pooled; (pooled = pool.tryAcquire()) != null; ) {
            all.add(pooled);
        }
        return all;
    }

    @Test
    void lendsAsManyObjectsAsItHasRoomForAndNoMore() {
        PerCpuPool<Item> pool = pool(100);
        List<Pooled<Item>> all = acquireAll(pool);
        assertThat(all).hasSize(100);
        assertThat(all.stream().map(Pooled::get)).doesNotHaveDuplicates();
        assertThat(pool.tryAcquire()).isNull();
        all.getFirst().release();
        assertThat(pool.tryAcquire()).isSameAs(all.getFirst());
        assertThat(pool.statistics().made()).isEqualTo(100);
    }

    @Test
    void theCapacityIsOneThatCanBe() {
        for (int capacity : new int[] {Integer.MIN_VALUE, -1, 0, (1 << 30) + 1, Integer.MAX_VALUE}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> PerCpuPool.builder(capacity, Item::new))
                    .withMessageContaining("objects, not " + capacity)
                    .withMessageContaining("from 1 to 1073741824");
        }
    }

    @Test
    void lendsAnObjectAgainAfterItsReset() throws InterruptedException {
        PerCpuPool<Item> pool = pool(1);
        Item item;
        try (Pooled<Item> pooled = pool.acquire()) {
            item = pooled.get();
            assertThat(item.resets).isZero();
        }
        try (Pooled<Item> pooled = pool.acquire()) {
            assertThat(pooled.get()).isSameAs(item);
            assertThat(item.resets).isEqualTo(1);
        }
    }

    @Test
    void makesAnObjectOnlyWhenNoneIsAtHand() {
        PerCpuPool<Item> pool = pool(2);
        assertThat(pool.statistics().made()).isZero();
        for (int i = 0; i < 1000; i++) {
            pool.tryAcquire().release();
        }
        // One, or a second one if the thread was moved to another CPU.
        assertThat(pool.statistics().made()).isBetween(1L, 2L);
    }

    @Test
    void anObjectIsReleasedOnce() {
        PerCpuPool<Item> pool = pool(2);
        Pooled<Item> pooled = pool.tryAcquire();
        pooled.release();
        assertThatThrownBy(pooled::release)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("not held");
        assertThatThrownBy(pooled::close).isInstanceOf(IllegalStateException.class);
        assertThat(acquireAll(pool)).hasSize(2).doesNotHaveDuplicates();
    }

    @Test
    void aReleasedObjectCannotBeHad() {
        Pooled<Item> pooled = pool(1).tryAcquire();
        pooled.release();
        assertThatThrownBy(pooled::get)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("not held");
    }

    @Test
    void anObjectThatIsIdleTwiceGoesToOneHolder() {
        PerCpuPool<Item> pool = pool(8);
        Pooled<Item> pooled = pool.tryAcquire();
        pooled.release();
        // What two releases at once would do.
        pooled.state = Pooled.HELD;
        pooled.release();
        List<Pooled<Item>> all = new ArrayList<>();
        assertThatThrownBy(() -> {
                    while (true) {
                        all.add(pool.tryAcquire());
                    }
                })
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("two threads released it at once");
        all.addAll(acquireAll(pool));
        assertThat(all).hasSize(8).doesNotHaveDuplicates();
    }

    @Test
    void moreReleasesThanThereAreObjectsSayOfWhichPool() {
        PerCpuPool<Object> pool =
                PerCpuPool.builder(1, Object::new).name("sessions").build();
        Pooled<Object> pooled = pool.tryAcquire();
        assertThatThrownBy(() -> {
                    while (true) {
                        pooled.state = Pooled.HELD;
                        pooled.release();
                    }
                })
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("sessions");
    }

    @Test
    void anObjectThatIsIdleTwiceAndWasDestroyedIsNotLentAgain() {
        PerCpuPool<Item> pool = pool(1);
        OnCpu.run(CpuMask.usable().iterator().next(), () -> {
            Pooled<Item> pooled = pool.tryAcquire();
            pooled.release();
            pooled.state = Pooled.HELD;
            pooled.discard();
            assertThatThrownBy(pool::tryAcquire)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("object 0 of a PerCpuPool (capacity 1)")
                    .hasMessageContaining("percpu.checked");
            assertThat(acquireAll(pool)).singleElement().isNotSameAs(pooled);
        });
    }

    @Test
    void aDiscardedObjectIsDestroyedAndReplaced() throws InterruptedException {
        PerCpuPool<Item> pool = pool(1);
        Pooled<Item> pooled = pool.acquire();
        Item item = pooled.get();
        pooled.discard();
        assertThat(destroyed).containsExactly(item);
        assertThat(item.resets).isZero();
        assertThatThrownBy(pooled::get).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(pooled::release).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(pooled::discard).isInstanceOf(IllegalStateException.class);
        assertThat(pool.acquire().get()).isNotSameAs(item);
        assertThat(pool.statistics().objects()).isEqualTo(1);
    }

    @Test
    void trimmingDestroysIdleObjectsAndNoOthers() {
        PerCpuPool<Item> pool = pool(50);
        List<Pooled<Item>> all = acquireAll(pool);
        all.subList(0, 30).forEach(Pooled::release);
        assertThat(pool.trim(40)).isZero();
        assertThat(pool.trim(10)).isEqualTo(20);
        assertThat(destroyed).hasSize(20).doesNotHaveDuplicates();
        assertThat(pool.statistics().idle()).isEqualTo(10);
        assertThat(pool.trim(0)).isEqualTo(10);
        assertThat(pool.statistics().objects()).isEqualTo(20);
        assertThat(acquireAll(pool)).hasSize(30);
        assertThatThrownBy(() -> pool.trim(-1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("-1");
    }

    @Test
    void anObjectCanReleaseItself() {
        PerCpuPool<SelfReleasing> pool =
                PerCpuPool.builderWithHandle(1, SelfReleasing::new).build();
        pool.tryAcquire().get().handle.release();
        assertThat(pool.tryAcquire()).isNotNull();
    }

    private record SelfReleasing(Pooled<SelfReleasing> handle) {
        private SelfReleasing {
            assertThatThrownBy(handle::get).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(handle::release).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void closingDestroysIdleObjectsAtOnceAndHeldOnesWhenTheyAreReleased() {
        PerCpuPool<Item> pool = pool(50);
        List<Pooled<Item>> all = acquireAll(pool);
        List<Item> items = all.stream().map(Pooled::get).toList();
        all.subList(20, 50).forEach(Pooled::release);
        pool.close();
        assertThat(destroyed).containsExactlyInAnyOrderElementsOf(items.subList(20, 50));
        pool.close();
        for (int i = 0; i < 20; i++) {
            assertThat(all.get(i).get()).isSameAs(items.get(i));
            all.get(i).release();
            assertThat(destroyed).hasSize(31 + i).endsWith(items.get(i));
        }
        assertThat(destroyed).doesNotHaveDuplicates();
        assertThatThrownBy(all.getFirst()::release).isInstanceOf(IllegalStateException.class);
        assertThat(pool.statistics())
                .isEqualTo(new PerCpuPool.Statistics(
                        50,
                        0,
                        0,
                        0,
                        0,
                        50,
                        50,
                        pool.statistics().exchanges(),
                        pool.statistics().searches()));
    }

    @Test
    void aClosedPoolLendsNothing() {
        PerCpuPool<Item> pool = pool(3);
        pool.tryAcquire().release();
        pool.close();
        assertThatThrownBy(pool::tryAcquire)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThatThrownBy(pool::acquire).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> pool.tryAcquire(1, TimeUnit.DAYS)).isInstanceOf(IllegalStateException.class);
        assertThat(pool).hasToString("a PerCpuPool (capacity 3, closed)");
    }

    @Test
    void statisticsTellWhereTheObjectsAre() {
        PerCpuPool<Item> pool = pool(10);
        List<Pooled<Item>> all = acquireAll(pool);
        all.subList(0, 4).forEach(Pooled::release);
        PerCpuPool.Statistics statistics = pool.statistics();
        assertThat(statistics.capacity()).isEqualTo(10);
        assertThat(statistics.objects()).isEqualTo(10);
        assertThat(statistics.idle()).isEqualTo(4);
        assertThat(statistics.held()).isEqualTo(6);
        assertThat(statistics.made()).isEqualTo(10);
        assertThat(statistics.destroyed()).isZero();
        assertThat(statistics.searches()).isPositive();
    }

    @Test
    void exchangesAreWhatTakesTheLock() {
        PerCpuPool<Item> pool = pool(16);
        OnCpu.run(CpuMask.usable().iterator().next(), () -> {
            pool.tryAcquire().release();
            assertThat(pool.statistics().exchanges()).as("making an object").isEqualTo(1);
            for (int i = 0; i < 1000; i++) {
                pool.tryAcquire().release();
            }
            assertThat(pool.statistics().exchanges()).as("from the CPU's stack").isEqualTo(1);
        });
    }

    @Test
    @Tag("rseq")
    void aThreadWithoutACpuIdComesToTheSharedStoreEachTime() throws InterruptedException {
        PerCpuPool<Item> pool = pool(16);
        int rounds = 1000;
        Workers.run("no-id-", 1, WithoutCpuId.everySecond(_ -> {
            for (int i = 0; i < rounds; i++) {
                pool.tryAcquire().release();
            }
        }));
        assertThat(pool.statistics().exchanges()).isEqualTo(2L * rounds);
    }

    @Test
    void unreachablePoolsGiveTheirMemoryBack() {
        // So that a CPU's stack is as large as it gets.
        int capacity = 128 * CpuMask.capacity();
        long before = Area.usedBytesPerCpu();
        PooledIds first = new PooledIds(capacity, "a pool");
        long bytes = Area.usedBytesPerCpu() - before;
        assertThat(bytes).isPositive();
        Object holder = new Object();
        try {
            long left = leaveLittle(holder);
            // More than there is room for at a time.
            for (long i = 0; i <= left / bytes; i++) {
                assertThat(new PooledIds(capacity, "a pool").seek()).isNotNegative();
            }
            assertThat(first.seek()).isEqualTo(PooledIds.VACANT);
        } finally {
            Reference.reachabilityFence(holder);
        }
    }

    /** Takes most of the area, as filling all of it with pools takes long; returns how much of each place is left. */
    private static long leaveLittle(Object holder) {
        long piece = Area.STRIDE / 64;
        long left;
        while ((left = Area.STRIDE - Area.usedBytesPerCpu()) > 4 * piece) {
            int _ = Area.allocateFor(holder, piece, Long.BYTES, "most of the area");
        }
        return left;
    }
}
