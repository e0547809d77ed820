package dev.percpu.stress.subject;

import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PoolBuilder;
import dev.percpu.concurrent.Pooled;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;

/**
 * Two pools. Of one there are just as many users as it has objects, so that it must never say that it is exhausted; at
 * the other they queue, so that a lost wake-up leaves somebody waiting for ever. Objects have plain fields, and know
 * their holder.
 */
final class Pool implements Subject {
    private static final int MOST_HELD = 3;

    private final LongAdder made = new LongAdder();
    private final LongAdder destroyed = new LongAdder();
    private final LongAdder uses = new LongAdder();
    private final LongAdder usesSeen = new LongAdder();

    private final PerCpuPool<Item> enough;
    private final Semaphore users;
    private final PerCpuPool<Item> scarce;

    /** What is pooled. */
    private final class Item {
        private long holder;
        private long used;

        private Item() {
            made.increment();
        }

        private void hold() {
            Subject.expect("holder of an idle object", 0, holder);
            holder = Thread.currentThread().threadId();
        }

        private void use() {
            Subject.expect("holder of an object in use", Thread.currentThread().threadId(), holder);
            used++;
            holder = 0;
        }

        private void destroy() {
            Subject.expect("holder of an object that is destroyed", 0, holder);
            usesSeen.add(used);
            destroyed.increment();
        }
    }

    Pool(RandomGenerator random) {
        int capacity = 1 << random.nextInt(7);
        enough = pool(capacity, random.nextBoolean());
        users = new Semaphore(capacity);
        scarce = pool(1 + random.nextInt(4), random.nextBoolean());
    }

    private PerCpuPool<Item> pool(int capacity, boolean kept) {
        PoolBuilder<Item> builder = PerCpuPool.builder(capacity, Item::new).destroy(Item::destroy);
        return ToldPools.build(kept ? builder.keepOnePerHotThread() : builder);
    }

    @Override
    public int use(RandomGenerator random) throws InterruptedException {
        int burst = random.nextInt(1, LONGEST_BURST);
        if (random.nextInt(4) == 0) {
            queue(burst);
        } else {
            exchange(random, burst);
        }
        return 2 * burst;
    }

    private void queue(int burst) throws InterruptedException {
        for (int i = 0; i < burst; i++) {
            try (Pooled<Item> pooled = scarce.acquire()) {
                pooled.get().hold();
                pooled.get().use();
            }
        }
        uses.add(burst);
    }

    private void exchange(RandomGenerator random, int burst) {
        Deque<Pooled<Item>> held = new ArrayDeque<>(MOST_HELD);
        int used = 0;
        for (int i = 0; i < burst; i++) {
            if (held.size() < MOST_HELD && users.tryAcquire()) {
                Pooled<Item> pooled = enough.tryAcquire();
                if (pooled == null) {
                    throw new AssertionError(
                            "exhausted, though fewer than " + enough.capacity() + " are held: " + enough.statistics());
                }
                pooled.get().hold();
                used++;
                held.add(pooled);
            }
            if (held.size() > random.nextInt(MOST_HELD)) {
                release(held.remove());
            }
        }
        held.forEach(this::release);
        uses.add(used);
    }

    private void release(Pooled<Item> pooled) {
        pooled.get().use();
        pooled.release();
        // Not before: until the release returns, the object counts as held.
        users.release();
    }

    @Override
    public void verify() {
        for (PerCpuPool<Item> pool : List.of(enough, scarce)) {
            Subject.expect("objects held", 0, pool.statistics().held());
            pool.close();
        }
        Subject.expect("objects destroyed", made.sum(), destroyed.sum());
        Subject.expect("uses of objects", uses.sum(), usesSeen.sum());
    }
}
