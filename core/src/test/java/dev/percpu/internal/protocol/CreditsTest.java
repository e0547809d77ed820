package dev.percpu.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.Area;
import org.junit.jupiter.api.Test;

/** What others can do with atomic instructions while a thread has loaded a credit and checks the gate. */
class CreditsTest {
    private static final int BATCH = 5;
    private static final long BOUND = 64;
    private static final long LIMIT = 100;

    private final long position = Area.allocate(BOUND, BOUND, "CreditsTest");
    private final Credits others = new Credits.Atomic(() -> 0, Credits::handedOut);

    /** Does something after the first look at the gate. */
    private Credits meanwhile(Runnable task) {
        boolean[] done = new boolean[1];
        return new Credits.Atomic(() -> 0, at -> {
            long gate = Credits.handedOut(at);
            if (!done[0]) {
                done[0] = true;
                task.run();
            }
            return gate;
        });
    }

    /** The new credit is reserved above the thread's limit, though it is as large as the one that it saw. */
    @Test
    void creditThatWasSpentAndHandedOutAgainIsAnother() {
        Credits.setHandedOut(position, LIMIT);
        assertThat(others.add(position, BATCH, BOUND, Credits.UNLIMITED)).isTrue();
        Credits slow = meanwhile(() -> {
            assertThat(others.add(position, -BATCH, BOUND, Credits.UNLIMITED)).isTrue();
            Credits.setHandedOut(position, 2 * LIMIT);
            assertThat(others.add(position, BATCH, BOUND, Credits.UNLIMITED)).isTrue();
        });
        assertThat(slow.add(position, -1, BOUND, LIMIT)).isFalse();
        assertThat(others.take(position)).isEqualTo(BATCH);
    }

    /** Nothing may come into a credit after it was taken, although there was nothing to take. */
    @Test
    void creditThatWasTakenIsNotAddedToLater() {
        Credits slow = meanwhile(() -> assertThat(others.take(position)).isZero());
        assertThat(slow.add(position, BATCH, BOUND, Credits.UNLIMITED)).isFalse();
        assertThat(others.sum(position)).isZero();
    }
}
