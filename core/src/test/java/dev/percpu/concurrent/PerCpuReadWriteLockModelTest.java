package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;

/** A lock lets in, in any order of calls by two threads, whom two numbers would. */
class PerCpuReadWriteLockModelTest {
    enum Call {
        READ,
        READ_IN_TIME,
        READ_OF_OTHER,
        READ_IN_TIME_OF_OTHER,
        READ_UNLOCK,
        READ_UNLOCK_OF_OTHER,
        WRITE,
        WRITE_IN_TIME,
        WRITE_OF_OTHER,
        WRITE_UNLOCK,
        WRITE_UNLOCK_OF_OTHER
    }

    /** The write lock is only ever held by this thread when a call begins. */
    private static final class Model implements AutoCloseable {
        private long readers;
        private int writeHolds;

        /** Whether a writer has found more unlocks than locks: no later one comes in. */
        private boolean refusing;

        /** Whether the lock knows how many readers are inside: no reader came since a writer counted them. */
        private boolean exact = true;

        private final ReaderCounters counters;
        private final PerCpuReadWriteLock lock;
        private final ExecutorService other = Executors.newSingleThreadExecutor();

        private Model(ReaderCounters counters) {
            this.counters = counters;
            lock = new PerCpuReadWriteLock(counters.door(false));
        }

        private void make(Call call) throws Exception {
            switch (call) {
                case READ -> read(lock.readLock().tryLock(), true);
                case READ_IN_TIME -> read(lock.readLock().tryLock(1, TimeUnit.MICROSECONDS), true);
                case READ_OF_OTHER ->
                    read(other.submit(() -> lock.readLock().tryLock()).get(), writeHolds == 0);
                case READ_IN_TIME_OF_OTHER ->
                    read(
                            other.submit(() -> lock.readLock().tryLock(1, TimeUnit.MICROSECONDS))
                                    .get(),
                            writeHolds == 0);
                case READ_UNLOCK -> readUnlock();
                case READ_UNLOCK_OF_OTHER -> other.submit(this::readUnlock).get();
                case WRITE -> write(() -> lock.writeLock().tryLock());
                case WRITE_IN_TIME -> write(() -> lock.writeLock().tryLock(1, TimeUnit.MICROSECONDS));
                case WRITE_OF_OTHER -> other.submit(this::writeOfOther).get();
                case WRITE_UNLOCK -> {
                    if (writeHolds == 0) {
                        assertRefused(lock.writeLock()::unlock);
                    } else {
                        lock.writeLock().unlock();
                        writeHolds--;
                    }
                }
                case WRITE_UNLOCK_OF_OTHER ->
                    other.submit(() -> assertRefused(lock.writeLock()::unlock)).get();
            }
            assertThat(lock.isWriteLockedByCurrentThread()).isEqualTo(writeHolds > 0);
        }

        private void read(boolean entered, boolean expected) {
            assertThat(entered).isEqualTo(expected);
            readers += entered ? 1 : 0;
            exact &= !entered || writeHolds > 0 || counters == ReaderCounters.WORD;
        }

        private void readUnlock() {
            if (exact && readers == 0) {
                assertRefused(lock.readLock()::unlock);
            } else {
                lock.readLock().unlock();
                readers--;
            }
        }

        @FunctionalInterface
        private interface Attempt {
            boolean make() throws InterruptedException;
        }

        private void write(Attempt attempt) throws InterruptedException {
            if (writeHolds == 0 && isRefusing()) {
                assertRefused(attempt::make);
                return;
            }
            boolean expected = writeHolds > 0 || readers == 0;
            exact = true;
            assertThat(attempt.make()).isEqualTo(expected);
            writeHolds += expected ? 1 : 0;
        }

        private void writeOfOther() {
            if (writeHolds > 0) {
                assertThat(lock.writeLock().tryLock()).isFalse();
            } else if (isRefusing()) {
                assertRefused(lock.writeLock()::tryLock);
            } else {
                assertThat(lock.writeLock().tryLock()).isEqualTo(readers == 0);
                exact = true;
                if (readers == 0) {
                    lock.writeLock().unlock();
                }
            }
        }

        /** For a writer that asks for the lock while no other has it. */
        private boolean isRefusing() {
            refusing |= readers < 0;
            return refusing;
        }

        private static void assertRefused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
            assertThatThrownBy(call).isInstanceOf(IllegalMonitorStateException.class);
        }

        @Override
        public void close() {
            other.close();
        }
    }

    /** All but those of which the model cannot tell when they change. */
    @Provide
    Arbitrary<ReaderCounters> counters() {
        return Arbitraries.of(ReaderCounters.WORD, ReaderCounters.STRIPES, ReaderCounters.TALLY);
    }

    @Property(tries = 300)
    void letsInWhomTwoNumbersWould(
            @ForAll @From("counters") ReaderCounters counters, @ForAll @Size(max = 60) List<Call> calls)
            throws Exception {
        try (Model model = new Model(counters)) {
            for (Call call : calls) {
                model.make(call);
            }
        }
    }
}
