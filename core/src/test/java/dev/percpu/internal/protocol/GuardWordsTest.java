package dev.percpu.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.CpuGuard;
import dev.percpu.cpu.CpuId;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Workers;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class GuardWordsTest {
    private static final int CPU = 0;
    private static final int ROUNDS = Effort.scaled(10_000);

    /** The acquirer is in a membarrier for long enough that others mark the word, and take the mark back. */
    @Test
    void whoeverIsSuspectedInTheMiddleOfARemoteAcquisitionKnowsThatTheCpuIsItsOwn() throws InterruptedException {
        try (CpuGuard _ = CpuGuard.acquire(CpuId.of(CPU))) {
            // An earlier test may have left the guard to a thread that has ended: this takes it over.
        }
        GuardWords words = GuardWords.CURRENT;
        long at = Area.offset(CPU, CpuHeader.GUARD_WORD);
        long owner = Thread.currentThread().threadId();
        AtomicBoolean done = new AtomicBoolean();
        AtomicInteger marks = new AtomicInteger();
        Workers.run("marks-", 2, number -> {
            if (number == 0) {
                while (!done.get()) {
                    if (Area.LONG.compareAndSet(Area.MEMORY, at, owner, owner | GuardWords.SUSPECTED)) {
                        marks.incrementAndGet();
                        Area.LONG.compareAndSet(Area.MEMORY, at, owner | GuardWords.SUSPECTED, owner);
                    }
                }
                return;
            }
            try {
                for (int round = 0; round < ROUNDS || marks.get() == 0; round++) {
                    assertThat(words.tryAcquireOn(CPU, owner)).isTrue();
                    assertThat(words.tryAcquireOn(CPU, owner)).isFalse();
                    // A mark may be added or taken back at the same time, and is only overwritten, as by any owner.
                    words.release(CPU);
                }
            } finally {
                done.set(true);
            }
        });
        assertThat((long) Area.LONG.getVolatile(Area.MEMORY, at)).isZero();
    }
}
