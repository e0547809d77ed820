package dev.percpu.concurrent;

import dev.percpu.internal.guard.Ownership;
import java.util.Date;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The write lock of a {@link PerCpuReadWriteLock}: a thread has it if it has {@code writers}, which excludes other
 * writers, and the gate is shut with no reader inside.
 */
final class WriteLock implements Lock {
    private final ReaderGate gate;
    private final ReentrantLock writers;

    /** How often the owner has locked; written by the holder of {@link #writers}. */
    private int holds;

    WriteLock(ReaderGate gate, ReentrantLock writers) {
        this.gate = gate;
        this.writers = writers;
    }

    @Override
    public void lock() {
        if (!getsWritersAtOnce()) {
            Ownership.refuseToWait("the write lock");
            writers.lock();
        }
        boolean _ = shutUninterruptibly(Patience.UNINTERRUPTIBLE);
    }

    @Override
    public void lockInterruptibly() throws InterruptedException {
        PerCpuReadWriteLock.checkInterrupt();
        if (!getsWritersAtOnce()) {
            Ownership.refuseToWait("the write lock");
            writers.lockInterruptibly();
        }
        boolean _ = shut(Patience.INTERRUPTIBLE);
    }

    @Override
    public boolean tryLock() {
        return writers.tryLock() && shutUninterruptibly(Patience.NONE);
    }

    @Override
    public boolean tryLock(long time, TimeUnit unit) throws InterruptedException {
        long nanos = unit.toNanos(time);
        Patience patience = Patience.ofNanos(nanos);
        PerCpuReadWriteLock.checkInterrupt();
        if (!getsWritersAtOnce()) {
            if (nanos <= 0) {
                return false;
            }
            Ownership.refuseToWait("the write lock");
            if (!writers.tryLock(nanos, TimeUnit.NANOSECONDS)) {
                return false;
            }
        }
        return shut(patience);
    }

    /** Takes {@link #writers} if that takes no waiting, and passes over nobody's turn if the lock is fair. */
    private boolean getsWritersAtOnce() {
        boolean myTurn = !writers.isFair() || writers.isHeldByCurrentThread() || !writers.hasQueuedThreads();
        return myTurn && writers.tryLock();
    }

    private boolean shutUninterruptibly(Patience patience) {
        try {
            return shut(patience);
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted without waiting interruptibly", e);
        }
    }

    /**
     * The thread has got {@code writers}, and keeps it only if it gets the rest. Whether it has the rest already is
     * the gate's to say, not that of {@code writers}: an error just after that was locked, a stack overflow say,
     * leaves it locked by a thread that does not have the write lock.
     */
    private boolean shut(Patience patience) throws InterruptedException {
        boolean alone = false;
        try {
            alone = gate.isAlone() || gate.shut(patience);
            if (alone) {
                holds++;
            }
        } finally {
            if (!alone) {
                writers.unlock();
            }
        }
        return alone;
    }

    @Override
    public void unlock() {
        checkHeld("unlock it");
        if (holds > 1) {
            holds--;
            writers.unlock();
            return;
        }
        gate.open();
        holds = 0;
        // More than one if an error left some behind.
        for (int locked = writers.getHoldCount(); locked > 0; locked--) {
            writers.unlock();
        }
    }

    @Override
    public Condition newCondition() {
        return new WriteCondition(writers.newCondition());
    }

    /** How often the current thread has locked it and not unlocked. */
    int holdCount() {
        return writers.isHeldByCurrentThread() ? holds : 0;
    }

    /** How often the owner has locked it, for messages: without order, unless the owner asks. */
    int holdsOfOwner() {
        return gate.isAlone() ? Math.max(1, holds) : 0;
    }

    /** The line that a condition of this lock has in {@link #writers}. */
    Condition lineOf(Condition condition) {
        if (condition instanceof WriteCondition ours && ours.lock() == this) {
            return ours.line;
        }
        throw new IllegalArgumentException(
                condition + " is not a condition of this write lock: ask the lock that made it");
    }

    private void checkHeld(String use) {
        if (holdCount() == 0) {
            throw new IllegalMonitorStateException(
                    Thread.currentThread() + " does not have the write lock, so it cannot " + use);
        }
    }

    @Override
    public String toString() {
        return "write lock[" + (gate.isAlone() ? "locked" : "unlocked") + "]";
    }

    /**
     * A condition of the write lock: one of {@link #writers}, and the gate is open while a thread waits.
     *
     * <p>The gate is opened before {@code writers} is given up, and shut after it is got back. A signal takes the write
     * lock, and so {@code writers}: none can come between the opening and the waiting.
     *
     * <p>If the gate cannot be shut again (the stack overflows, or the kernel refuses the system call), the wait ends
     * with that error. The thread then has {@code writers} and its holds, but readers may be inside. It can unlock, and
     * its next lock shuts the gate first.
     */
    @SuppressWarnings("WaitNotInLoop") // the loop is the caller's, as for any condition
    private final class WriteCondition implements Condition {
        private final Condition line;

        private WriteCondition(Condition line) {
            this.line = line;
        }

        @FunctionalInterface
        private interface Waiting {
            boolean await(Condition line) throws InterruptedException;
        }

        @Override
        public void await() throws InterruptedException {
            boolean _ = outside(condition -> {
                condition.await();
                return true;
            });
        }

        @Override
        public void awaitUninterruptibly() {
            try {
                boolean _ = outside(condition -> {
                    condition.awaitUninterruptibly();
                    return true;
                });
            } catch (InterruptedException e) {
                throw new AssertionError("interrupted without waiting interruptibly", e);
            }
        }

        @Override
        public long awaitNanos(long nanosTimeout) throws InterruptedException {
            long start = System.nanoTime();
            long most = Math.max(0, nanosTimeout);
            boolean _ = outside(condition -> condition.awaitNanos(most) > 0);
            // With the time that it took to get the lock back.
            return most - (System.nanoTime() - start);
        }

        @Override
        public boolean await(long time, TimeUnit unit) throws InterruptedException {
            return outside(condition -> condition.await(time, unit));
        }

        @Override
        public boolean awaitUntil(Date deadline) throws InterruptedException {
            return outside(condition -> condition.awaitUntil(deadline));
        }

        private boolean outside(Waiting waiting) throws InterruptedException {
            checkHeld("wait for one of its conditions");
            Ownership.refuseToWait("a condition of the write lock");
            int held = holds;
            try {
                gate.open();
                holds = 0;
                return waiting.await(line);
            } finally {
                holds = held;
                shutAgain();
            }
        }

        @Override
        public void signal() {
            checkHeld("signal one of its conditions");
            line.signal();
        }

        @Override
        public void signalAll() {
            checkHeld("signal one of its conditions");
            line.signalAll();
        }

        private WriteLock lock() {
            return WriteLock.this;
        }

        @Override
        public String toString() {
            return "a condition of a per-CPU read-write lock's write lock";
        }
    }

    private void shutAgain() {
        if (gate.isAlone()) {
            return;
        }
        try {
            boolean _ = gate.shut(Patience.UNINTERRUPTIBLE);
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted without waiting interruptibly", e);
        }
    }
}
