package dev.percpu.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.HotThread;
import dev.percpu.testing.Effort;
import dev.percpu.testing.VmTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A tally that is closed while threads add to it in places of their own. */
@VmTest("machine")
class TallyTest {
    private final Tally tally = Tally.opened("TallyTest");
    private long sum;

    /** The closing thread reads the number after the owner's store, and before the owner looks again. */
    @ParameterizedTest
    @ValueSource(longs = {1, -1})
    @Tag("rseq")
    void anAdditionThatTheClosingThreadSawCounts(long delta) throws InterruptedException {
        HotThread.run(own -> {
            assertThat(addAndMeanwhile(own, delta, () -> sum = tally.close())).isTrue();
            assertThat(sum).isEqualTo(delta);
            assertThat(tally.close()).isZero();
            tally.open();
            assertThat(tally.close()).isZero();
        });
    }

    /** It reads the number before the owner's store. */
    @ParameterizedTest
    @ValueSource(longs = {1, -1})
    @Tag("rseq")
    void anAdditionThatItDidNotSeeIsUndone(long delta) throws InterruptedException {
        HotThread.run(own -> {
            assertThat(addAndMeanwhile(own, delta, () -> beforeTheStore(own, delta, () -> sum = tally.close())))
                    .isFalse();
            assertThat(sum).isZero();
            assertThat(load(numberOf(own, delta))).isZero();
            assertThat(tally.close()).isZero();
            tally.open();
            assertThat(tally.close()).isZero();
        });
    }

    /** It has been opened again, so the addition is in the next sum; unless it was in the one before. */
    @ParameterizedTest
    @ValueSource(longs = {1, -1})
    @Tag("rseq")
    void anAdditionCountsOnceIfTheTallyIsOpenAgain(long delta) throws InterruptedException {
        HotThread.run(own -> {
            Runnable closeAndOpen = () -> {
                sum = tally.close();
                tally.open();
            };
            assertThat(addAndMeanwhile(own, delta, closeAndOpen)).isTrue();
            assertThat(sum).isEqualTo(delta);
            assertThat(tally.close()).isZero();
            tally.open();
            assertThat(addAndMeanwhile(own, delta, () -> beforeTheStore(own, delta, closeAndOpen)))
                    .isTrue();
            assertThat(sum).isZero();
            assertThat(tally.close()).isEqualTo(delta);
        });
    }

    /** The owner saw it closed, and has the monitor only when the tally is open again. */
    @Test
    @Tag("rseq")
    void anAdditionThatFindsTheTallyOpenWithTheMonitorCounts() throws InterruptedException {
        HotThread.run(own -> {
            long number = numberOf(own, 1);
            assertThat(tally.close()).isZero();
            tally.open();
            store(number, 1);
            assertThat(tally.isCounted(own, 1)).isTrue();
            assertThat(tally.close()).isEqualTo(1);
        });
    }

    /** Does what an addition does in a place, and something else between the store and the second look. */
    private boolean addAndMeanwhile(long own, long delta, Runnable task) {
        long number = numberOf(own, delta);
        store(number, load(number) + 1);
        task.run();
        return tally.isOpen() || tally.isCounted(own, delta);
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
        return own + tally.position + (delta > 0 ? 0 : Tally.SUBTRACTED);
    }

    @Test
    @Tag("rseq")
    void aClosedTallyAndOneThatWasNeverOpenedAreNotAddedTo() throws InterruptedException {
        HotThread.run(own -> {
            assertThat(Tally.closed("TallyTest").addInOwnPlace(1)).isFalse();
            assertThat(tally.addInOwnPlace(3)).isTrue();
            assertThat(tally.addInOwnPlace(-1)).isTrue();
            assertThat(tally.close()).isEqualTo(2);
            assertThat(tally.addInOwnPlace(1)).isFalse();
            tally.open();
            assertThat(tally.addInOwnPlace(-5)).isTrue();
            assertThat(tally.close()).isEqualTo(-5);
            assertThat(load(numberOf(own, 1))).isEqualTo(3);
            assertThat(load(numberOf(own, -1))).isEqualTo(6);
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

    private static void store(long offset, long value) {
        Area.LONG.setVolatile(Area.MEMORY, offset, value);
    }

    private static long load(long offset) {
        return (long) Area.LONG.getVolatile(Area.MEMORY, offset);
    }
}
