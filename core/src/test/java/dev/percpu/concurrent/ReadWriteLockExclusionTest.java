package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.Disturbance;
import dev.percpu.testing.Effort;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.WithoutCpuId;
import dev.percpu.testing.Workers;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** No writer is inside with anybody else, and what one wrote the others see. */
@ParameterizedClass
@EnumSource(names = {"WORD", "ALL", "TALLY"})
@VmTest({"atomic", "machine"})
class ReadWriteLockExclusionTest {
    private static final int THREADS = 8;

    /**
     * Fewer than without signals and migrations, since such a round takes more than ten times as long. An emulated
     * machine makes a thousand, however few a build makes.
     */
    private static final int DISTURBED_ROUNDS = Math.max(1_000, Effort.scaled(10_000));

    /** The same where half of the threads have no CPU id; an emulated machine makes six hundred. */
    private static final int ROUNDS_OF_HALVES = Math.max(600, Effort.scaled(10_000));

    /** The data have no other protection than the lock: plain fields that are the same but while they are changed. */
    private static final class Guarded {
        private final PerCpuReadWriteLock lock;
        private final LongAdder writes = new LongAdder();
        private final LongAdder refusals = new LongAdder();
        private long first;
        private long second;

        private Guarded(ReaderCounters counters) {
            lock = counters.lock();
        }

        private void read() {
            lock.readLock().lock();
            try {
                compare(_ -> {});
            } finally {
                lock.readLock().unlock();
            }
        }

        /** Reads twice, far apart in time. */
        private void readSlowly() {
            lock.readLock().lock();
            try {
                compare(_ -> pause());
            } finally {
                lock.readLock().unlock();
            }
        }

        private void compare(Consumer<Guarded> between) {
            long seen = first;
            between.accept(this);
            if (second != seen || first != seen) {
                throw new AssertionError("a writer is inside with a reader: " + seen + ", " + second + ", " + first);
            }
        }

        private void write() {
            lock.writeLock().lock();
            try {
                change();
            } finally {
                lock.writeLock().unlock();
            }
        }

        @SuppressWarnings("LockNotBeforeTry") // that is what turning a write lock into a read lock looks like
        private void writeAndReadOn() {
            long written;
            lock.writeLock().lock();
            try {
                change();
                written = first;
                lock.readLock().lock();
            } finally {
                lock.writeLock().unlock();
            }
            try {
                pause();
                if (first != written || second != written) {
                    throw new AssertionError("a writer came in while " + Thread.currentThread() + " reads on");
                }
            } finally {
                lock.readLock().unlock();
            }
        }

        private void writeIfSoon() {
            boolean locked;
            try {
                locked = lock.writeLock().tryLock(ThreadLocalRandom.current().nextLong(100), TimeUnit.MICROSECONDS);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            if (locked) {
                change();
                lock.writeLock().unlock();
            } else {
                refusals.increment();
            }
        }

        private void change() {
            first++;
            pause();
            second++;
            writes.increment();
        }

        @SuppressWarnings("ThreadPriorityCheck") // so that others run meanwhile, if they are let in
        private static void pause() {
            Thread.yield();
        }

        /** A mix of which {@code writesInThousand} are writes, of three kinds. */
        private void mix(int rounds, int writesInThousand) {
            ThreadLocalRandom random = ThreadLocalRandom.current();
            for (int round = 0; round < rounds; round++) {
                int choice = random.nextInt(3000);
                if (choice < writesInThousand) {
                    write();
                } else if (choice < 2 * writesInThousand) {
                    writeAndReadOn();
                } else if (choice < 3 * writesInThousand) {
                    writeIfSoon();
                } else if (choice < 3 * writesInThousand + 30) {
                    readSlowly();
                } else {
                    read();
                }
            }
        }

        private void verify() {
            assertThat(lock.writeLock().tryLock()).as("nobody is inside").isTrue();
            assertThat(first).isEqualTo(writes.sum()).isEqualTo(second);
            lock.writeLock().unlock();
        }
    }

    private final ReaderCounters counters;

    ReadWriteLockExclusionTest(ReaderCounters counters) {
        this.counters = counters;
    }

    @Test
    void eightThreads() throws InterruptedException {
        Guarded guarded = new Guarded(counters);
        // How soon a writer gives up depends on the machine's pace, and the test is about those that do too.
        do {
            Workers.run("lock-worker-", THREADS, _ -> guarded.mix(Effort.scaled(50_000), 20));
        } while (guarded.refusals.sum() == 0);
        guarded.verify();
        assertThat(guarded.writes.sum()).isPositive();
    }

    @Test
    void oneThreadWritesAllTheTime() throws InterruptedException {
        int rounds = Effort.scaled(50_000);
        Guarded guarded = new Guarded(counters);
        Workers.run("lock-worker-", 2, number -> {
            for (int round = 0; round < rounds; round++) {
                if (number == 0) {
                    guarded.write();
                } else {
                    guarded.read();
                }
            }
        });
        guarded.verify();
    }

    @Test
    @Tag("native")
    void eightThreadsUnderChurnAndSignals() throws InterruptedException {
        Guarded guarded = new Guarded(counters);
        Disturbance.Report disturbed = Disturbance.during(
                "lock-worker", 3, () -> Workers.run("lock-worker-", THREADS, _ -> guarded.mix(DISTURBED_ROUNDS, 20)));
        assertThat(disturbed.migrations()).isGreaterThan(Effort.scaled(100));
        assertThat(disturbed.signals()).isGreaterThan(Effort.scaled(1000));
        guarded.verify();
    }

    /** Those without one count in the spare slot, which is closed by itself, without the gate. */
    @Test
    @Tag("rseq")
    void eightThreadsOfWhichHalfHaveNoCpuId() throws InterruptedException {
        Guarded guarded = new Guarded(counters);
        Disturbance.Report disturbed = Disturbance.during(
                "lock-worker",
                6,
                () -> Workers.run(
                        "lock-worker-", THREADS, WithoutCpuId.everySecond(_ -> guarded.mix(ROUNDS_OF_HALVES, 20))));
        assertThat(disturbed.signals()).isGreaterThan(Effort.scaled(1000));
        guarded.verify();
    }

    @Test
    void tenThousandVirtualThreads() throws InterruptedException {
        Guarded guarded = new Guarded(counters);
        Workers.runVirtual(Effort.tenThousandThreads(), _ -> guarded.mix(Math.max(5, Effort.scaled(20)), 20));
        guarded.verify();
    }
}
