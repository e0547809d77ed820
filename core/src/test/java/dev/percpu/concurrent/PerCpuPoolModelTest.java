package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.internal.area.HotThread;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** Random calls, compared with lists of what is held and what is released. */
class PerCpuPoolModelTest {
    /** Where the thread gets none, it keeps nothing. */
    private static final long PLACE = HotThread.tryGetPlace();

    enum Kind {
        ACQUIRE,
        RELEASE,
        RELEASE_AGAIN,
        RELEASE_DIRTY,
        CLOSE
    }

    /**
     * A call.
     *
     * @param kind which
     * @param pick chooses the object
     */
    record Call(Kind kind, int pick) {}

    @Provide
    Arbitrary<Call> calls() {
        return Arbitraries.frequency(
                        Tuple.of(60, Kind.ACQUIRE),
                        Tuple.of(50, Kind.RELEASE),
                        Tuple.of(5, Kind.RELEASE_AGAIN),
                        Tuple.of(5, Kind.RELEASE_DIRTY),
                        Tuple.of(1, Kind.CLOSE))
                .flatMap(kind -> Arbitraries.integers().between(0, 1 << 20).map(pick -> new Call(kind, pick)));
    }

    /** What is pooled. */
    private static final class Item {
        private boolean dirty;

        private void reset() {
            if (dirty) {
                throw new IllegalArgumentException("dirty");
            }
        }
    }

    @Property(tries = 300)
    void doesWhatTheModelDoes(
            @ForAll @IntRange(min = 1, max = 300) int capacity,
            @ForAll boolean kept,
            @ForAll @Size(min = 1, max = 600) List<@From("calls") Call> calls) {
        assertThat(PLACE).as("the place of the thread that runs all tries").isEqualTo(HotThread.myPlace());
        Model model = new Model(capacity, kept);
        calls.forEach(model::check);
        model.check(new Call(Kind.CLOSE, 0));
        while (!model.held.isEmpty()) {
            model.check(new Call(Kind.RELEASE, 0));
        }
        assertThat(model.living).isEmpty();
    }

    /** The pool, and what should be true of it. */
    private static final class Model {
        private final int capacity;
        private final PerCpuPool<Item> pool;
        private final Set<Item> living = new HashSet<>();
        private final List<Pooled<Item>> held = new ArrayList<>();
        private final List<Pooled<Item>> released = new ArrayList<>();
        private boolean closed;

        private Model(int capacity, boolean kept) {
            this.capacity = capacity;
            PoolBuilder<Item> builder =
                    PerCpuPool.builder(capacity, this::make).reset(Item::reset).destroy(this::destroy);
            pool = (kept ? builder.keepOnePerHotThread() : builder).build();
        }

        private Item make() {
            Item item = new Item();
            living.add(item);
            return item;
        }

        private void destroy(Item item) {
            assertThat(living.remove(item)).as("living when it is destroyed").isTrue();
        }

        private void check(Call call) {
            switch (call.kind) {
                case ACQUIRE -> acquire();
                case RELEASE -> release(call.pick, false);
                case RELEASE_DIRTY -> release(call.pick, true);
                case RELEASE_AGAIN -> releaseAgain(call.pick);
                case CLOSE -> {
                    pool.close();
                    closed = true;
                    assertThat(living).hasSize(held.size());
                }
            }
            PerCpuPool.Statistics statistics = pool.statistics();
            assertThat(statistics.held()).isEqualTo(held.size());
            assertThat(statistics.objects()).isEqualTo(living.size()).isLessThanOrEqualTo(capacity);
        }

        private void acquire() {
            if (closed) {
                assertThatThrownBy(pool::tryAcquire).isInstanceOf(IllegalStateException.class);
                return;
            }
            Pooled<Item> pooled = pool.tryAcquire();
            if (held.size() == capacity) {
                assertThat(pooled).isNull();
                return;
            }
            assertThat(pooled).isNotNull();
            assertThat(held).doesNotContain(pooled);
            assertThat(living).contains(pooled.get());
            released.remove(pooled);
            held.add(pooled);
        }

        private void release(int pick, boolean dirty) {
            if (held.isEmpty()) {
                return;
            }
            Pooled<Item> pooled = held.remove(pick % held.size());
            Item item = pooled.get();
            item.dirty = dirty;
            if (dirty) {
                assertThatThrownBy(pooled::release).hasMessage("dirty");
            } else {
                pooled.release();
            }
            released.add(pooled);
            assertThat(living.contains(item)).isEqualTo(!dirty && !closed);
        }

        private void releaseAgain(int pick) {
            if (!released.isEmpty()) {
                Pooled<Item> pooled = released.get(pick % released.size());
                assertThatThrownBy(pooled::release).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(pooled::get).isInstanceOf(IllegalStateException.class);
            }
        }
    }
}
