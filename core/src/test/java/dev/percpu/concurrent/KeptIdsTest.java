package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.HotThread;
import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.testing.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What hot threads keep, and how others get it. {@link PoolStepsTest} has more of it. */
@Tag("native")
class KeptIdsTest {
    /** Enough that each hot thread can keep one. */
    private static final int CAPACITY = 4 * OwnPlaces.COUNT;

    private final List<Object> destroyed = new ArrayList<>();
    private final PerCpuPool<Object> pool = PerCpuPool.builder(CAPACITY, Object::new)
            .destroy(destroyed::add)
            .keepOnePerHotThread()
            .build();

    private KeptIds ids() {
        return (KeptIds) pool.ids;
    }

    private long onStacks() {
        long all = 0;
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            all += ids().count(cpu);
        }
        return all;
    }

    /** All objects, each once, in a thread that keeps none. The pool is searched for that. */
    private List<Pooled<Object>> acquireAllElsewhere() {
        List<Pooled<Object>> all = new ArrayList<>();
        Workers.join(Thread.ofPlatform().start(() -> all.addAll(PerCpuPoolTest.acquireAll(pool))));
        assertThat(all).doesNotHaveDuplicates();
        return all;
    }

    @Test
    void aHotThreadKeepsOneObjectThatItReleased() throws InterruptedException {
        HotThread.run(_ -> {
            Pooled<Object> first = pool.tryAcquire();
            Pooled<Object> second = pool.tryAcquire();
            second.release();
            assertThat(onStacks()).isZero();
            assertThat(pool.statistics().idle()).isEqualTo(1);
            first.release();
            assertThat(onStacks()).as("there is room for one only").isEqualTo(1);
            assertThat(pool.statistics().idle()).isEqualTo(2);
            assertThat(pool.tryAcquire()).isSameAs(second);
            assertThat(pool.tryAcquire()).isSameAs(first);
            assertThat(pool.statistics().made()).isEqualTo(2);
            first.release();
            second.release();
        });
    }

    /** Its handle refers to the keeper of the thread that kept it before. */
    @Test
    void whatAnotherThreadReleasesIsNotKeptForThisOne() throws InterruptedException {
        HotThread.run(_ -> {
            Pooled<Object> object = pool.tryAcquire();
            object.release();
            assertThat(pool.tryAcquire()).isSameAs(object);
            Workers.join(Thread.ofPlatform().start(object::release));
            assertThat(ids().mine().kept).isEqualTo(Keeper.NOTHING);
            assertThat(pool.statistics().idle()).isEqualTo(1);
        });
    }

    @Test
    void aThreadThatIsNotHotKeepsNothing() {
        Workers.join(Thread.ofPlatform().start(() -> pool.tryAcquire().release()));
        assertThat(onStacks()).isEqualTo(1);
    }

    @Test
    void aSearchFindsWhatAThreadKeeps() throws InterruptedException {
        HotThread.run(_ -> {
            Pooled<Object> kept = pool.tryAcquire();
            kept.release();
            List<Pooled<Object>> all = acquireAllElsewhere();
            assertThat(all).hasSize(CAPACITY).contains(kept);
            assertThat(pool.tryAcquire()).isNull();
            all.forEach(Pooled::release);
            assertThat(acquireAllElsewhere()).hasSize(CAPACITY);
        });
    }

    /** It had read the id, and lost its CPU before it stored that it keeps nothing. */
    @Test
    void aThreadDoesNotTakeWhatASearchHasTaken() throws InterruptedException {
        for (boolean over : new boolean[] {false, true}) {
            HotThread.run(_ -> {
                Pooled<Object> kept = pool.tryAcquire();
                kept.release();
                List<Pooled<Object>> all = acquireAllElsewhere();
                if (over) {
                    all.forEach(Pooled::release);
                }
                assertThat(ids().direct).isNotEqualTo(over);
                assertThat(ids().takeKept(ids().mine(), kept.id + 1)).isFalse();
                if (!over) {
                    all.forEach(Pooled::release);
                }
                pool.tryAcquire().release();
                assertThat(acquireAllElsewhere()).hasSize(CAPACITY).allSatisfy(Pooled::release);
            });
        }
    }

    /** A search took an id, and gave it to a thread that released it: the owner's word still has it. */
    @Test
    void aSearchDoesNotTakeWhatAnotherHasTaken() throws InterruptedException {
        HotThread.run(_ -> {
            pool.tryAcquire().release();
            for (int round = 0; round < 3; round++) {
                assertThat(acquireAllElsewhere()).hasSize(CAPACITY).allSatisfy(Pooled::release);
            }
        });
    }

    @Test
    void whatAnEndedThreadKeptIsFoundAndItsPlaceHasAnotherOwner() throws InterruptedException {
        for (int round = 0; round < 20; round++) {
            HotThread.run(_ -> {
                Pooled<Object> first = pool.tryAcquire();
                Pooled<Object> second = pool.tryAcquire();
                first.release();
                second.release();
            });
        }
        assertThat(pool.statistics().held()).isZero();
        assertThat(acquireAllElsewhere()).hasSize(CAPACITY);
    }

    @Test
    void trimmingDestroysWhatAThreadKeepsAndThePoolIsAsFastAsBefore() throws InterruptedException {
        HotThread.run(_ -> {
            pool.tryAcquire().release();
            assertThat(pool.trim(0)).isEqualTo(1);
            assertThat(destroyed).hasSize(1);
            assertThat(ids().direct).isFalse();
        });
    }

    @Test
    void closingDestroysWhatAThreadKeeps() throws InterruptedException {
        HotThread.run(_ -> {
            pool.tryAcquire().release();
            assertThat(onStacks()).isZero();
            pool.close();
            assertThat(destroyed).hasSize(1);
            assertThatThrownBy(pool::tryAcquire).isInstanceOf(IllegalStateException.class);
        });
    }

    /** The thread has stored its id, and lost its CPU before it looked whether there is a search. */
    @Test
    void whatIsKeptWhileThePoolIsClosedIsDestroyed() throws InterruptedException {
        HotThread.run(_ -> {
            Pooled<Object> held = pool.tryAcquire();
            pool.tryAcquire().release();
            Pooled<Object> kept = pool.tryAcquire();
            kept.state = PooledFields.IDLE;
            assertThat(ids().put(kept)).isTrue();
            pool.close();
            assertThat(destroyed).hasSize(1);
            assertThat(ids().lookAgain()).isEqualTo(SharedIds.NONE);
            held.release();
            assertThat(destroyed).hasSize(2);
        });
    }

    /** The search came first, so the thread that keeps the id has to bring it to the one that waits. */
    @Test
    void whatIsKeptWhileAnotherThreadBeginsToWaitWakesIt() throws InterruptedException {
        PerCpuPool<Object> told = PerCpuPoolWaitingTest.told(
                PerCpuPool.builder(CAPACITY, Object::new).keepOnePerHotThread()::build);
        HotThread.run(_ -> {
            List<Pooled<Object>> all = PerCpuPoolTest.acquireAll(told);
            Pooled<Object> kept = all.getFirst();
            AtomicReference<Pooled<Object>> got = new AtomicReference<>();
            Thread waiting =
                    Thread.ofPlatform().start(() -> got.set(PerCpuPoolConcurrencyTest.uninterrupted(told::acquire)));
            while (told.statistics().waiting() == 0) {
                Thread.onSpinWait();
            }
            kept.state = PooledFields.IDLE;
            assertThat(told.ids.put(kept)).isTrue();
            assertThat(told.ids.lookAgain()).isEqualTo(SharedIds.NONE);
            Workers.join(waiting);
            assertThat(got).hasValue(kept);
        });
    }

    @Test
    void aPoolOfThreeObjectsHasNoneToKeep() throws InterruptedException {
        PerCpuPool<Object> small =
                PerCpuPool.builder(3, Object::new).keepOnePerHotThread().build();
        HotThread.run(_ -> {
            small.tryAcquire().release();
            assertThat(small.ids.total()).isEqualTo(1);
            assertThat(small.ids.fullest()).as("the CPU that has it").isNotEqualTo(CpuStacks.NO_CPU);
        });
    }
}
