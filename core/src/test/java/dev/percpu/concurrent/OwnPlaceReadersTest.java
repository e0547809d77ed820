package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.HotThread;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Workers;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Readers and references of threads that count in places of their own. */
class OwnPlaceReadersTest {
    /** As many longs as no cache has, so that a store to one of them waits for memory. */
    private static final int FAR_LONGS = 1 << 23;

    private static final int FAR_STORES = 4;
    private static final long MULTIPLIER = 6364136223846793005L;

    /**
     * Each addition is in the sum of one closing, if it succeeded. The owner's mark waits behind stores that miss the
     * cache, so whoever closes does not see it in time unless the heavy fence makes the processor finish these first.
     */
    @Test
    void noAdditionIsLostOrFoundTwiceWhileStoresWaitForMemory() throws InterruptedException {
        Tally tally = new Tally("a test");
        AtomicLong added = new AtomicLong();
        AtomicLong found = new AtomicLong();
        int additions = Effort.scaled(3_000_000);
        AtomicBoolean done = new AtomicBoolean();
        HotThread.run(own -> {
            Thread closer = Thread.ofPlatform().start(() -> {
                while (!done.get()) {
                    found.addAndGet(tally.close());
                    tally.open();
                }
            });
            long[] far = new long[FAR_LONGS];
            long random = own;
            for (int i = 0; i < additions; i++) {
                for (int store = 0; store < FAR_STORES; store++) {
                    random = random * MULTIPLIER + 1;
                    far[(int) (random >>> 41)] = i;
                }
                if (tally.add(1)) {
                    added.incrementAndGet();
                }
            }
            done.set(true);
            Workers.join(closer);
        });
        assertThat(found.addAndGet(tally.close())).isEqualTo(added.get()).isPositive();
    }

    /** The place of a reader that has ended is in the sum, and whoever gets it goes on from there. */
    @Test
    @SuppressWarnings("LockNotBeforeTry") // it is unlocked in another thread
    void aReaderMayEndAndAnotherThreadUnlock() throws InterruptedException {
        PerCpuReadWriteLock lock = Counters.TALLY.lock();
        for (int round = 0; round < 20; round++) {
            HotThread.run(_ -> {
                Counters.use(lock);
                lock.readLock().lock();
            });
            assertThat(lock.writeLock().tryLock()).isFalse();
            Counters.use(lock);
            HotThread.run(_ -> lock.readLock().unlock());
            assertThat(lock.writeLock().tryLock()).isTrue();
            lock.writeLock().unlock();
        }
    }
}
