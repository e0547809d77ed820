package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.Disturbance;
import dev.percpu.testing.Effort;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.WithoutCpuId;
import dev.percpu.testing.Workers;
import java.util.concurrent.Phaser;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Eight threads get and put while one of them kills: there is one release, and it comes after the last put. */
@VmTest({"atomic", "machine"})
class RefReleaseTest {
    private static final int THREADS = 8;

    /**
     * How many rounds are disturbed. One takes over ten milliseconds, as threads that wait for each other are disturbed
     * too. With fewer, an emulated machine could be done with them before it was disturbed often enough.
     */
    private static final int DISTURBED_ROUNDS = Math.max(40, Effort.scaled(200));

    @Test
    void oneReleaseAfterTheLastPut() throws InterruptedException {
        new Rounds(Effort.scaled(5_000)).run(UnaryOperator.identity());
    }

    @Test
    @Tag("native")
    void oneReleaseAfterTheLastPutUnderChurnAndSignals() throws InterruptedException {
        Disturbance.Report disturbed =
                Disturbance.during("ref-worker", 4, () -> new Rounds(DISTURBED_ROUNDS).run(UnaryOperator.identity()));
        assertThat(disturbed.migrations()).isGreaterThan(Effort.scaled(100));
        assertThat(disturbed.signals()).isGreaterThan(Effort.scaled(1000));
    }

    /** Those without one count in the spare slot, and the one that kills is among them. */
    @Test
    @Tag("rseq")
    void oneReleaseAfterTheLastPutOfThreadsOfWhichHalfHaveNoCpuId() throws InterruptedException {
        Disturbance.Report disturbed =
                Disturbance.during("ref-worker", 5, () -> new Rounds(DISTURBED_ROUNDS).run(WithoutCpuId::everySecond));
        assertThat(disturbed.signals()).isGreaterThan(Effort.scaled(1000));
    }

    /** A ref that is killed and comes back to life, again and again. */
    private static final class Rounds {
        private final int rounds;
        private final Phaser phaser = new Phaser(THREADS);
        private final PerCpuRef ref = new PerCpuRef(this::release);

        /** How many references the threads have in this moment, or fewer: counted while they have them for sure. */
        private final AtomicInteger holders = new AtomicInteger();

        private final AtomicInteger releases = new AtomicInteger();
        private volatile int holdersAtRelease;

        private Rounds(int rounds) {
            this.rounds = rounds;
        }

        private void run(UnaryOperator<IntConsumer> threads) throws InterruptedException {
            Workers.run("ref-worker-", THREADS, threads.apply(this::work));
        }

        private void release() {
            holdersAtRelease = holders.get();
            releases.incrementAndGet();
        }

        private void work(int number) {
            try {
                for (int round = 0; round < rounds; round++) {
                    if (phaser.arriveAndAwaitAdvance() < 0) {
                        return;
                    }
                    if (number == 0) {
                        useAndKill();
                    } else {
                        useWhileLive(number);
                    }
                    if (phaser.arriveAndAwaitAdvance() < 0) {
                        return;
                    }
                    if (number == 0) {
                        verify(round);
                        ref.reinit();
                    }
                }
            } catch (Throwable t) {
                // A failed thread must not keep the others.
                phaser.forceTermination();
                throw t;
            }
        }

        private void useAndKill() {
            for (int i = ThreadLocalRandom.current().nextInt(50); i > 0; i--) {
                assertThat(ref.tryGetLive()).isTrue();
                use();
                ref.put();
            }
            ref.kill();
            assertThat(ref.tryGetLive()).as("after the kill").isFalse();
        }

        private void useWhileLive(int number) {
            while (!phaser.isTerminated() && ref.tryGetLive()) {
                use();
                if (number % 4 < 2) {
                    ref.get();
                    use();
                    ref.put();
                }
                ref.put();
            }
            if (ref.tryGet()) {
                use();
                ref.put();
            }
        }

        private void use() {
            holders.incrementAndGet();
            assertThat(releases).as("releases while the thing is used").hasValue(0);
            holders.decrementAndGet();
        }

        private void verify(int round) {
            assertThat(releases).as("releases in round %d", round).hasValue(1);
            assertThat(holdersAtRelease)
                    .as("users at the release in round %d", round)
                    .isZero();
            assertThat(ref.isZero()).isTrue();
            releases.set(0);
        }
    }
}
