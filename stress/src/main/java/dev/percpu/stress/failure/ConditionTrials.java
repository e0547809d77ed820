package dev.percpu.stress.failure;

import dev.percpu.concurrent.PerCpuReadWriteLock;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Conditions of the write lock. */
@SuppressWarnings("WaitNotInLoop") // a single wait is the subject
final class ConditionTrials {
    private static final long LONG_SECONDS = 100;

    private ConditionTrials() {}

    /** A way to wait, or to wake who waits. */
    @FunctionalInterface
    private interface Use {
        void of(Condition condition) throws InterruptedException;
    }

    static List<Operation> all() {
        return each().map(operation -> operation.also(Variant.VIRTUAL, Variant.CHECKED))
                .toList();
    }

    private static Stream<Operation> each() {
        return Stream.of(
                awaiting("await", "await()", true, Condition::await),
                awaiting("awaitUninterruptibly", "awaitUninterruptibly()", true, Condition::awaitUninterruptibly),
                awaiting(
                        "timed await",
                        "await(long, TimeUnit)",
                        true,
                        condition -> Trial.check(condition.await(LONG_SECONDS, TimeUnit.SECONDS), "no signal")),
                awaiting(
                        "timed await, in vain",
                        "await(long, TimeUnit)",
                        false,
                        condition -> Trial.check(!condition.await(1, TimeUnit.MILLISECONDS), "a signal")),
                awaiting(
                        "awaitNanos",
                        "awaitNanos(long)",
                        true,
                        condition -> Trial.check(
                                condition.awaitNanos(TimeUnit.SECONDS.toNanos(LONG_SECONDS)) > 0, "no signal")),
                awaiting(
                        "awaitUntil",
                        "awaitUntil(Date)",
                        true,
                        condition -> Trial.check(
                                condition.awaitUntil(Date.from(Instant.now().plusSeconds(LONG_SECONDS))), "no signal")),
                new Operation("condition signal", "Condition.signal()", () -> new Signalling(Condition::signal)),
                new Operation(
                        "condition signalAll", "Condition.signalAll()", () -> new Signalling(Condition::signalAll)));
    }

    private static Operation awaiting(String name, String method, boolean signalled, Use wait) {
        return new Operation("condition " + name, "Condition." + method, () -> new Awaiting(signalled, wait))
                .thatWaits();
    }

    /** A lock with a condition that one thread at most waits for. */
    private abstract static class OnCondition extends Trial {
        final PerCpuReadWriteLock lock = new PerCpuReadWriteLock();
        final Condition condition = lock.writeLock().newCondition();

        final void locked(Use use) throws InterruptedException {
            lock.writeLock().lock();
            try {
                use.of(condition);
            } finally {
                lock.writeLock().unlock();
            }
        }

        /** Nobody has the lock or waits. */
        final void checkIdle() throws Exception {
            other.run(
                    "locking a lock that is free",
                    () -> locked(_ -> same("threads that wait", 0, lock.getWaitQueueLength(condition))));
        }
    }

    /** Waiting for a signal, which another thread gives or not: in any case the thread has the lock afterwards. */
    private static final class Awaiting extends OnCondition {
        private final boolean signalled;
        private final Use wait;
        private boolean came;

        Awaiting(boolean signalled, Use wait) {
            this.signalled = signalled;
            this.wait = wait;
        }

        @Override
        void prepare() {
            came = false;
            lock.writeLock().lock();
            if (signalled) {
                other.runWhenThisThreadWaits(() -> locked(Condition::signal));
            }
        }

        @Override
        void act() throws InterruptedException {
            wait.of(condition);
            came = true;
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            boolean had = lock.isWriteLockedByCurrentThread();
            if (had) {
                lock.writeLock().unlock();
            }
            other.finish("signalling");
            check(had, "the lock is lost");
            check(!lock.isWriteLockedByCurrentThread(), "the lock is had twice");
            checkIdle();
            return came;
        }
    }

    /** A signal for a thread that waits. */
    private static final class Signalling extends OnCondition {
        private final Use signal;

        Signalling(Use signal) {
            this.signal = signal;
        }

        @Override
        void prepare() throws Exception {
            Thread _ = other.startWaiting(() -> locked(Condition::awaitUninterruptibly));
            lock.writeLock().lock();
            while (lock.getWaitQueueLength(condition) == 0) {
                lock.writeLock().unlock();
                Thread.sleep(1);
                lock.writeLock().lock();
            }
        }

        @Override
        void act() throws InterruptedException {
            signal.of(condition);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            boolean did = lock.getWaitQueueLength(condition) == 0;
            check(did || thrown != null, "nobody was woken");
            if (!did) {
                condition.signal();
            }
            lock.writeLock().unlock();
            other.finish("waiting for a signal");
            checkIdle();
            return did;
        }
    }
}
