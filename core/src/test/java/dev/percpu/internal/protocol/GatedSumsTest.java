package dev.percpu.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.HotThread;
import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Workers;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Numbers that are taken away while threads update them in places of their own. */
class GatedSumsTest {
    /** As many longs as no cache has, so that a store to one of them waits for memory. */
    private static final int FAR_LONGS = 1 << 23;

    /** How many of these stores come before an update, so that its own stores wait behind them. */
    private static final int FAR_STORES = 4;

    private static final long MULTIPLIER = 6364136223846793005L;

    private final long position = Area.allocate(Gate.BYTES, Long.BYTES, "GatedSumsTest");
    private double taken;

    private static void set(long offset, long value) {
        Area.LONG.setVolatile(Area.MEMORY, offset, value);
    }

    private void addOrToSpare(double x) {
        if (!GatedSums.add(position, x)) {
            long spare = Area.offset(Area.SPARE, position);
            long old;
            do {
                old = (long) Area.LONG.getVolatile(Area.MEMORY, spare);
            } while (!Area.LONG.compareAndSet(
                    Area.MEMORY, spare, old, Double.doubleToRawLongBits(Double.longBitsToDouble(old) + x)));
        }
    }

    @Test
    void whoTakesWaitsForAnOwnerThatIsInTheMiddleOfAnUpdate() throws InterruptedException {
        if (!Fences.CURRENT.isAsymmetric()) {
            return;
        }
        HotThread.run(own -> {
            set(own + OwnPlaces.BUSY, 1);
            Thread taker = new Thread(() -> taken = GatedSums.takeAll(position));
            taker.start();
            while (Gate.get(position) == 0 && taker.isAlive()) {
                Thread.onSpinWait();
            }
            // Enough for a taker that does not wait.
            join(taker, 50);
            set(own + position, Double.doubleToRawLongBits(5));
            set(own + OwnPlaces.BUSY, 0);
            Workers.join(taker);
        });
        assertThat(taken).isEqualTo(5);
        assertThat(GatedSums.takeAll(position)).isZero();
    }

    private static void join(Thread thread, long millis) {
        try {
            thread.join(millis);
        } catch (InterruptedException timeIsUp) {
            throw new AssertionError(timeIsUp);
        }
    }

    /** An overflow of the stack could end an owner so. */
    @Test
    void nobodyWaitsForAnOwnerThatHasEndedInTheMiddleOfAnUpdate() throws InterruptedException {
        HotThread.run(own -> {
            set(own + position, Double.doubleToRawLongBits(3));
            set(own + OwnPlaces.BUSY, 1);
        });
        if (Fences.CURRENT.isAsymmetric()) {
            assertThat(GatedSums.takeAll(position)).isEqualTo(3);
        }
    }

    /**
     * The owner's mark waits behind stores that miss the cache, so whoever takes does not see it in time unless the
     * heavy fence makes the processor finish these stores first.
     */
    @Test
    void nothingIsLostWhileStoresWaitForMemory() throws InterruptedException {
        int updates = Effort.scaled(1_000_000);
        AtomicBoolean done = new AtomicBoolean();
        AtomicReference<Double> all = new AtomicReference<>(0.0);
        HotThread.run(own -> {
            Thread taker = new Thread(() -> {
                double sum = 0;
                while (!done.get()) {
                    sum += GatedSums.takeAll(position);
                }
                all.set(sum);
            });
            taker.start();
            long[] far = new long[FAR_LONGS];
            long random = own;
            for (int i = 0; i < updates; i++) {
                for (int store = 0; store < FAR_STORES; store++) {
                    random = random * MULTIPLIER + 1;
                    far[(int) (random >>> 41)] = i;
                }
                addOrToSpare(1);
            }
            done.set(true);
            Workers.join(taker);
        });
        assertThat(all.get() + GatedSums.takeAll(position)).isEqualTo(updates);
    }
}
