package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.backend.Interposed;
import dev.percpu.internal.guard.RecoveryUnderTest;
import dev.percpu.internal.protocol.GuardWords;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.Workers;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Recovery looks at owners that do nothing wrong, all the time. It must not free what they own. */
class RecoveryRaceTest {
    /**
     * The owners take their time at each step whose order matters: between owning the CPU and counting the guard, with
     * the guard open, and between counting it down and freeing the CPU.
     */
    @Test
    @Tag("native")
    void owningThreadsKeepWhatTheyOwn() {
        assertThat(Jvm.asHere().outputOf(Race.class)).contains("nothing freed, nothing lost\n");
    }

    static final class Race {
        private static final int OWNERS = 2;
        private static final int ROUNDS = Effort.scaled(4_000);
        private static final int LONGEST_SPIN = 20_000;

        private Race() {}

        public static void main(String[] arguments) throws InterruptedException {
            Interposed.replace(GuardWords.class, Race::delayed);
            // Only an owner of the CPU changes its element, so nothing is lost unless two own it at once.
            long[] counts = new long[Area.CPUS * 16];
            AtomicInteger freed = new AtomicInteger();
            IntConsumer task = Workers.untilDone(
                    OWNERS,
                    _ -> {
                        for (int round = 0; round < ROUNDS; round++) {
                            try (CpuGuard guard = CpuGuard.acquire()) {
                                int element = guard.cpu().id() * 16;
                                long count = counts[element];
                                delay();
                                counts[element] = count + 1;
                            }
                        }
                    },
                    () -> {
                        for (CpuId cpu : CpuMask.possible()) {
                            freed.addAndGet(RecoveryUnderTest.freeIfLeftBehind(cpu.id()) ? 1 : 0);
                        }
                    });
            Workers.run("race-", OWNERS + 1, task);
            long sum = 0;
            for (long count : counts) {
                sum += count;
            }
            System.out.println((freed.get() == 0 ? "nothing freed, " : freed + " freed, ")
                    + (sum == (long) OWNERS * ROUNDS ? "nothing lost" : "lost"));
        }

        /** On the processor, or not at all: who sleeps is outside of the moment for too long. */
        private static void delay() {
            int spins = ThreadLocalRandom.current().nextInt(LONGEST_SPIN);
            for (int i = 0; i < spins; i++) {
                Thread.onSpinWait();
            }
        }

        private static GuardWords delayed(GuardWords words) {
            return new GuardWords() {
                @Override
                public int tryAcquire(long owner) {
                    int cpu = words.tryAcquire(owner);
                    if (cpu >= 0) {
                        delay();
                    }
                    return cpu;
                }

                @Override
                public boolean tryAcquireOn(int cpu, long owner) {
                    return words.tryAcquireOn(cpu, owner);
                }

                @Override
                public void release(int cpu) {
                    delay();
                    words.release(cpu);
                }
            };
        }
    }
}
