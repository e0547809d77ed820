package dev.percpu.internal.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.code.Sequence;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Workers;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What the structures are built from, on the back end that runs. */
class BackendTest {
    private static final int THREADS = 6;
    private static final int ROUNDS = Effort.scaled(50_000);

    private final Backend backend = Backends.current();
    private final long position = Area.allocate(64, 64, "BackendTest");

    @Test
    void aTallyLosesNothingWhenItIsClosed() throws InterruptedException {
        long gate = Area.offset(Area.CPUS, position + 8);
        AtomicLong added = new AtomicLong();
        AtomicLong closed = new AtomicLong();
        Workers.run("tally-", THREADS, thread -> {
            for (int round = 0; round < ROUNDS; round++) {
                if (thread == 0 && round % 64 == 0) {
                    closed.addAndGet(backend.close(position, gate));
                    assertThat(backend.addIfOpen(position, 1, gate)).isFalse();
                    backend.open(position, gate);
                } else if (backend.addIfOpen(position, round % 3 - 1L, gate)) {
                    added.addAndGet(round % 3 - 1L);
                }
            }
        });
        assertThat(closed.get() + backend.close(position, gate)).isEqualTo(added.get());
    }

    @Test
    void anAdditionWithinABoundKeepsIt() throws InterruptedException {
        AtomicLong added = new AtomicLong();
        Workers.run("within-", THREADS, thread -> {
            for (int round = 0; round < ROUNDS; round++) {
                long delta = (round + thread) % 7 - 3L;
                if (backend.addCredit(position, delta, 10, 0)) {
                    added.addAndGet(delta);
                }
            }
        });
        long sum = backend.credits(position);
        assertThat(sum).isBetween(0L, 10L * Area.CPUS);
        assertThat(sum).isEqualTo(added.get());
    }

    /** On each back end what is taken, and what is there in the end, is what was put in. */
    @Test
    void creditsLoseNothingWhenTheyAreTaken() throws InterruptedException {
        long gate = Area.offset(Area.CPUS, position + Sequence.GATE);
        AtomicLong saved = new AtomicLong();
        AtomicLong taken = new AtomicLong();
        Workers.run("credits-", THREADS, thread -> {
            for (int round = 0; round < ROUNDS; round++) {
                long delta = (round + thread) % 7 - 3L;
                if (thread == 0 && round % 64 == 0) {
                    taken.addAndGet(backend.takeCredits(position));
                    assertThat(backend.credits(position)).isZero();
                    assertThat(backend.addCredit(position, 1, 10, Long.MAX_VALUE - 1))
                            .isFalse();
                    Area.LONG.setVolatile(Area.MEMORY, gate, 0L);
                } else if (backend.addCredit(position, delta, 10, 0)) {
                    saved.addAndGet(delta);
                }
            }
        });
        assertThat(backend.credits(position)).isBetween(0L, 10L * Area.CPUS);
        assertThat(taken.get() + backend.takeCredits(position)).isEqualTo(saved.get());
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
                long item = backend.pop(position);
                Long next = item >= 0 ? Long.valueOf(item) : elsewhere.poll();
                if (next != null && !backend.push(position, next, capacity)) {
                    elsewhere.add(next);
                }
            }
        });
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            for (long item; (item = backend.popFrom(cpu, position)) >= 0; ) {
                elsewhere.add(item);
            }
        }
        assertThat(elsewhere).hasSize(items).doesNotHaveDuplicates();
    }

    @Test
    void twoAdditionsInOneCall() throws InterruptedException {
        Workers.run("two-", THREADS, thread -> {
            for (int round = 0; round < ROUNDS; round++) {
                backend.addTwo(position, 1, position + 8, 2);
            }
        });
        long[] sums = new long[2];
        for (int cpu = 0; cpu <= Area.CPUS; cpu++) {
            sums[0] += (long) Area.LONG.get(Area.MEMORY, Area.offset(cpu, position));
            sums[1] += (long) Area.LONG.get(Area.MEMORY, Area.offset(cpu, position + 8));
        }
        assertThat(sums).containsExactly((long) THREADS * ROUNDS, 2L * THREADS * ROUNDS);
    }
}
