package dev.percpu.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.Area;
import dev.percpu.testing.Effort;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.Workers;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What the structures are built from, on the back end that runs. */
@VmTest({"atomic", "machine"})
class ProtocolsTest {
    private static final int THREADS = 6;
    private static final int ROUNDS = Effort.scaled(50_000);

    private final NumberPairs pairs = NumberPairs.CURRENT;
    private final CpuTallies tallies = CpuTallies.CURRENT;
    private final Credits credits = Credits.CURRENT;
    private final Stacks stacks = Stacks.CURRENT;
    private final long position = Area.allocate(64, 64, "ProtocolsTest");

    @Test
    void aTallyLosesNothingWhenItIsClosed() throws InterruptedException {
        AtomicLong added = new AtomicLong();
        AtomicLong closed = new AtomicLong();
        Workers.run("tally-", THREADS, thread -> {
            for (int round = 0; round < ROUNDS; round++) {
                if (thread == 0 && round % 64 == 0) {
                    closed.addAndGet(close(tallies, position));
                    assertThat(tallies.add(position, 1)).isFalse();
                    tallies.open(position);
                } else if (tallies.add(position, round % 3 - 1L)) {
                    added.addAndGet(round % 3 - 1L);
                }
            }
        });
        assertThat(closed.get() + close(tallies, position)).isEqualTo(added.get());
    }

    /** Both steps of closing a tally: its sum. */
    static long close(CpuTallies tallies, long position) {
        tallies.shut(position);
        return tallies.take(position);
    }

    @Test
    void anAdditionWithinABoundKeepsIt() throws InterruptedException {
        AtomicLong added = new AtomicLong();
        Workers.run("within-", THREADS, thread -> {
            for (int round = 0; round < ROUNDS; round++) {
                long delta = (round + thread) % 7 - 3L;
                if (credits.add(position, delta, 10, 0)) {
                    added.addAndGet(delta);
                }
            }
        });
        long sum = credits.sum(position);
        assertThat(sum).isBetween(0L, 10L * Area.CPUS);
        assertThat(sum).isEqualTo(added.get());
    }

    /** On each back end what is taken, and what is there in the end, is what was put in. */
    @Test
    void creditsLoseNothingWhenTheyAreTaken() throws InterruptedException {
        AtomicLong saved = new AtomicLong();
        AtomicLong taken = new AtomicLong();
        Workers.run("credits-", THREADS, thread -> {
            for (int round = 0; round < ROUNDS; round++) {
                long delta = (round + thread) % 7 - 3L;
                if (thread == 0 && round % 64 == 0) {
                    taken.addAndGet(credits.take(position));
                    assertThat(credits.sum(position)).isZero();
                    assertThat(credits.add(position, 1, 10, Long.MAX_VALUE - 1)).isFalse();
                    Gate.open(position);
                } else if (credits.add(position, delta, 10, 0)) {
                    saved.addAndGet(delta);
                }
            }
        });
        assertThat(credits.sum(position)).isBetween(0L, 10L * Area.CPUS);
        assertThat(taken.get() + credits.take(position)).isEqualTo(saved.get());
    }

    @Test
    void aStackReturnsWhatWasPutOnItOnce() throws InterruptedException {
        int items = 64;
        int capacity = 7;
        ConcurrentLinkedQueue<Long> elsewhere = new ConcurrentLinkedQueue<>();
        for (long item = 0; item < items; item++) {
            elsewhere.add(item);
        }
        Workers.run("stack-", THREADS, thread -> {
            for (int round = 0; round < ROUNDS; round++) {
                long item = stacks.pop(position);
                Long next = item >= 0 ? Long.valueOf(item) : elsewhere.poll();
                if (next != null && !stacks.push(position, next, capacity)) {
                    elsewhere.add(next);
                }
            }
        });
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            for (long item; (item = stacks.popFrom(cpu, position)) >= 0; ) {
                elsewhere.add(item);
            }
        }
        assertThat(elsewhere).hasSize(items).doesNotHaveDuplicates();
    }

    @Test
    void twoAdditionsInOneCall() throws InterruptedException {
        Workers.run("two-", THREADS, thread -> {
            for (int round = 0; round < ROUNDS; round++) {
                pairs.add(position, 1, position + 8, 2);
            }
        });
        long[] sums = new long[2];
        for (int cpu = 0; cpu <= Area.CPUS; cpu++) {
            sums[0] += (long) Area.LONG.get(Area.MEMORY, Area.offset(cpu, position));
            sums[1] += (long) Area.LONG.get(Area.MEMORY, Area.offset(cpu, position + 8));
        }
        assertThat(sums).containsExactly((long) THREADS * ROUNDS, 2L * THREADS * ROUNDS);
    }

    @Test
    void aLongAndADoubleInOneCall() throws InterruptedException {
        Workers.run("mixed-", THREADS, thread -> {
            for (int round = 0; round < ROUNDS; round++) {
                pairs.addLongAndDouble(position, 3, position + 8, 0.5);
            }
        });
        assertThat(Sums.sum(position)).isEqualTo(3L * THREADS * ROUNDS);
        assertThat(Sums.sumOfDoubles(position + 8, 0)).isEqualTo(0.5 * THREADS * ROUNDS);
    }
}
