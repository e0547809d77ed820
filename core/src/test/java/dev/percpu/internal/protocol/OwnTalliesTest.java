package dev.percpu.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.HotThread;
import dev.percpu.internal.backend.Backends;
import dev.percpu.testing.Effort;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A tally that is closed while threads add to it in places of their own. */
class OwnTalliesTest {
    private final Object lock = new Object();
    private final long position = Area.allocate(OwnTallies.BYTES, Long.BYTES, "OwnTalliesTest");
    private long sum;

    /** The closing thread reads the number after the owner's store, and before the owner looks at the gate again. */
    @ParameterizedTest
    @ValueSource(longs = {1, -1})
    void anAdditionThatTheClosingThreadSawCounts(long delta) throws InterruptedException {
        whereSequencesAre(own -> {
            assertThat(addAndMeanwhile(own, delta, () -> sum = close())).isTrue();
            assertThat(sum).isEqualTo(delta);
            assertThat(close()).isZero();
            open();
            assertThat(close()).isZero();
        });
    }

    /** It reads the number before the owner's store. */
    @ParameterizedTest
    @ValueSource(longs = {1, -1})
    void anAdditionThatItDidNotSeeIsUndone(long delta) throws InterruptedException {
        whereSequencesAre(own -> {
            assertThat(addAndMeanwhile(own, delta, () -> beforeTheStore(own, delta, () -> sum = close())))
                    .isFalse();
            assertThat(sum).isZero();
            assertThat(load(numberOf(own, delta))).isZero();
            assertThat(close()).isZero();
            open();
            assertThat(close()).isZero();
        });
    }

    /** It has been opened again, so the addition is in the next sum; unless it was in the one before. */
    @ParameterizedTest
    @ValueSource(longs = {1, -1})
    void anAdditionCountsOnceIfTheTallyIsOpenAgain(long delta) throws InterruptedException {
        whereSequencesAre(own -> {
            Runnable closeAndOpen = () -> {
                sum = close();
                open();
            };
            assertThat(addAndMeanwhile(own, delta, closeAndOpen)).isTrue();
            assertThat(sum).isEqualTo(delta);
            assertThat(close()).isZero();
            open();
            assertThat(addAndMeanwhile(own, delta, () -> beforeTheStore(own, delta, closeAndOpen)))
                    .isTrue();
            assertThat(sum).isZero();
            assertThat(close()).isEqualTo(delta);
        });
    }

    /** The owner saw the gate shut, and has the lock only when the tally is open again. */
    @Test
    void anAdditionThatFindsTheTallyOpenWithTheLockCounts() throws InterruptedException {
        whereSequencesAre(own -> {
            long number = own + position;
            assertThat(close()).isZero();
            open();
            store(number, 1);
            assertThat(OwnTallies.isCounted(number, Gate.offset(position), number, 0, lock))
                    .isTrue();
            assertThat(close()).isEqualTo(1);
        });
    }

    /** Does what an addition does in a place, and something else between the store and the second look at the gate. */
    private boolean addAndMeanwhile(long own, long delta, Runnable task) {
        long number = numberOf(own, delta);
        long before = load(number);
        store(number, before + 1);
        task.run();
        return Gate.get(position) == 0
                || OwnTallies.isCounted(own + position, Gate.offset(position), number, before, lock);
    }

    /** Does something as if the store had not been done yet. */
    private void beforeTheStore(long own, long delta, Runnable task) {
        long number = numberOf(own, delta);
        long stored = load(number);
        store(number, stored - 1);
        task.run();
        store(number, stored);
    }

    private long numberOf(long own, long delta) {
        return own + position + (delta > 0 ? 0 : OwnTallies.SUBTRACTED);
    }

    @Test
    void aClosedTallyAndOneThatWasNeverOpenedAreNotAddedTo() throws InterruptedException {
        whereSequencesAre(own -> {
            OwnTallies.beginShut(position);
            assertThat(OwnTallies.addInOwnPlace(position, 1, lock)).isFalse();
            open();
            assertThat(OwnTallies.addInOwnPlace(position, 3, lock)).isTrue();
            assertThat(OwnTallies.addInOwnPlace(position, -1, lock)).isTrue();
            assertThat(close()).isEqualTo(2);
            assertThat(OwnTallies.addInOwnPlace(position, 1, lock)).isFalse();
            open();
            assertThat(OwnTallies.addInOwnPlace(position, -5, lock)).isTrue();
            assertThat(close()).isEqualTo(-5);
            assertThat(load(own + position)).isEqualTo(3);
            assertThat(load(own + position + OwnTallies.SUBTRACTED)).isEqualTo(6);
        });
    }

    /** Each addition is in the sum of the next closing, if it succeeded. */
    @Test
    void noAdditionIsLostOrLateWhileStoresWaitForMemory() throws InterruptedException {
        LateAdditions additions = LateAdditions.of(Effort.scaled(2_000_000));
        assertThat(additions.late())
                .as("what was added after the closing that should have found it")
                .isZero();
        assertThat(additions.found()).isEqualTo(additions.added());
    }

    private static void whereSequencesAre(LongConsumer task) throws InterruptedException {
        if (Backends.usesSequences()) {
            HotThread.run(task);
        }
    }

    private long close() {
        return OwnTallies.close(position, lock);
    }

    private void open() {
        OwnTallies.open(position, lock);
    }

    private static void store(long offset, long value) {
        Area.LONG.setVolatile(Area.MEMORY, offset, value);
    }

    private static long load(long offset) {
        return (long) Area.LONG.getVolatile(Area.MEMORY, offset);
    }
}
