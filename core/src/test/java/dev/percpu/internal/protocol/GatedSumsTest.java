package dev.percpu.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.HotThread;
import dev.percpu.testing.Effort;
import dev.percpu.testing.FarStores;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.Workers;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Numbers that are taken away while threads update them in places of their own. */
@VmTest("machine")
class GatedSumsTest {
    private final Object lock = new Object();
    private final long position = Area.allocate(GatedSums.BYTES, Long.BYTES, "GatedSumsTest");
    private double taken;

    private static void store(long offset, double value) {
        Area.LONG.setVolatile(Area.MEMORY, offset, Double.doubleToRawLongBits(value));
    }

    private static double load(long offset) {
        return Double.longBitsToDouble((long) Area.LONG.getVolatile(Area.MEMORY, offset));
    }

    private double takeAll() {
        return GatedSums.takeAll(position, lock);
    }

    /** Adds 1 in the thread's own place, and does something between the store and the second look at the gate. */
    private void addAndMeanwhile(long own, Runnable task) {
        GatedSums.addIn(own + position, Gate.offset(position), 1, lock, new Between(task));
    }

    /** Takes as if the store had not been done yet. */
    private void takeBeforeTheStore(long own) {
        double stored = load(own + position);
        store(own + position, stored - 1);
        taken = takeAll();
        store(own + position, stored);
    }

    /** The owner has loaded 4, and its store of 5 comes after the number was taken. */
    @Test
    void anAdditionAfterTheTakingIsInTheNextResult() throws InterruptedException {
        HotThread.run(own -> {
            store(own + position, 4);
            addAndMeanwhile(own, () -> takeBeforeTheStore(own));
            assertThat(taken).isEqualTo(4);
            assertThat(GatedSums.sum(position)).isEqualTo(1);
            assertThat(takeAll()).isEqualTo(1);
            assertThat(takeAll()).isZero();
        });
    }

    /** The number was taken twice since the owner has loaded 4. */
    @Test
    void whatWasTakenIsNotTakenAgain() throws InterruptedException {
        HotThread.run(own -> {
            store(own + position, 4);
            addAndMeanwhile(own, () -> {
                takeBeforeTheStore(own);
                assertThat(GatedSums.sum(position)).isZero();
                assertThat(takeAll()).isZero();
            });
            assertThat(taken).isEqualTo(4);
            assertThat(takeAll()).isEqualTo(1);
        });
    }

    /** The store of 5 came before. */
    @Test
    void anAdditionThatWasTakenDoesNotCountAgain() throws InterruptedException {
        HotThread.run(own -> {
            store(own + position, 4);
            addAndMeanwhile(own, () -> taken = takeAll());
            assertThat(taken).isEqualTo(5);
            assertThat(GatedSums.sum(position)).isZero();
            assertThat(takeAll()).isZero();
            GatedSums.add(this, position, 2, lock);
            assertThat(takeAll()).isEqualTo(2);
        });
    }

    /** It met a taking that found nothing in its place. */
    @Test
    void anAdditionToAnEmptyPlaceStays() throws InterruptedException {
        HotThread.run(own -> {
            addAndMeanwhile(own, () -> takeBeforeTheStore(own));
            assertThat(taken).isZero();
            assertThat(takeAll()).isEqualTo(1);
        });
    }

    /** A number that is too large for additions of 1 leaves no trace. */
    @Test
    void aPlaceBeginsAnewAfterItWasTaken() throws InterruptedException {
        HotThread.run(own -> {
            for (double x : new double[] {1e16, 1, -1, Double.NaN, 0.5}) {
                GatedSums.add(this, position, x, lock);
                assertThat(Double.valueOf(takeAll())).isEqualTo(Double.valueOf(x));
                assertThat(GatedSums.sum(position)).isZero();
            }
        });
    }

    /**
     * The owner's store waits behind stores that miss the cache, so whoever takes does not see it in time unless the
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
                    sum += takeAll();
                }
                all.set(sum);
            });
            taker.start();
            FarStores far = new FarStores(own);
            for (int i = 0; i < updates; i++) {
                far.store();
                GatedSums.add(this, position, 1, lock);
            }
            done.set(true);
            Workers.join(taker);
        });
        assertThat(all.get() + takeAll()).isEqualTo(updates);
    }
}
