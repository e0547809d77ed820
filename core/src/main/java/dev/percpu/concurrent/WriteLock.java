package dev.percpu.concurrent;

import dev.percpu.internal.guard.Ownership;
import dev.percpu.internal.guard.Reports;
import dev.percpu.internal.protocol.StackRoom;
import java.util.Date;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/** The write lock of a {@link PerCpuReadWriteLock}: a thread has it if it has shut the door with no reader inside. */
final class WriteLock implements Lock {
    // This file is longer than others: the conditions use what is private to the lock.

    private final ReaderDoor door;

    /** Its holder is the next writer to shut the door, if another has it shut now. Other writers wait in line. */
    private final ReentrantLock line;

    /**
     * How often the owner has locked; written by it, and by tests. While it is 0, the owner is still shutting the door.
     */
    int holds;

    WriteLock(ReaderDoor door) {
        this.door = door;
        line = new ReentrantLock(door.fair);
    }

    @Override
    public void lock() {
        if (!tryLockAtOnce()) {
            checkNotReading("locks its write lock");
            boolean _ = lockUninterruptibly(WaitPolicy.UNINTERRUPTIBLE);
        }
    }

    @Override
    public void lockInterruptibly() throws InterruptedException {
        PerCpuReadWriteLock.checkInterrupt();
        if (!tryLockAtOnce()) {
            checkNotReading("locks its write lock");
            boolean _ = lock(WaitPolicy.INTERRUPTIBLE);
        }
    }

    @Override
    public boolean tryLock() {
        return tryLockFree() || tryReenter() || lockUninterruptibly(WaitPolicy.NONE);
    }

    @Override
    public boolean tryLock(long time, TimeUnit unit) throws InterruptedException {
        WaitPolicy policy = WaitPolicy.ofNanos(unit.toNanos(time));
        PerCpuReadWriteLock.checkInterrupt();
        return tryLockAtOnce() || lock(policy);
    }

    /** In checked mode, refuses to wait for readers one of which is the thread itself. */
    private void checkNotReading(String use) {
        if (CheckedMode.ON && door.holds != null) {
            door.holds.checkNoneOfMine(use);
        }
    }

    private boolean tryLockAtOnce() {
        return (mayPass() && tryLockFree()) || tryReenter();
    }

    /** The thread has it already, unless an error broke its locking off before the end. */
    private boolean tryReenter() {
        if (!door.isShutByMe() || !door.isAlone()) {
            return false;
        }
        addHold();
        return true;
    }

    /** Throws without having done anything if there are as many as can be counted. */
    private void addHold() {
        if (holds == Integer.MAX_VALUE) {
            throw new Error("the write lock of " + door.label + " is held " + holds
                    + " times, which is as often as it can be: unlock it once for each time that it was locked");
        }
        holds++;
    }

    private boolean tryLockFree() {
        if (!door.tryShutAtOnce()) {
            return false;
        }
        holds = 1;
        return true;
    }

    /** Whether a writer that comes may go before those that wait. */
    private boolean mayPass() {
        // In this order: a queued thread locks the line before it leaves the queue.
        return !door.fair || (!line.hasQueuedThreads() && !line.isLocked());
    }

    private boolean lockUninterruptibly(WaitPolicy policy) {
        try {
            return lock(policy);
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted without waiting interruptibly", e);
        }
    }

    /** Keeps the door shut only if nobody is inside, or if the thread had it before. */
    private boolean lock(WaitPolicy policy) throws InterruptedException {
        // Room for all that follows, also for opening the door again if something fails.
        StackRoom.CURRENT.ensure();
        boolean locked = false;
        try {
            locked = beginShutting(policy) && door.awaitAlone(policy);
            if (locked) {
                addHold();
            }
        } finally {
            if (!locked && holdCount() == 0 && door.isShutByMe()) {
                door.openInRoom();
            }
        }
        return locked;
    }

    private boolean beginShutting(WaitPolicy policy) throws InterruptedException {
        if (door.isShutByMe()) {
            return true;
        }
        if ((mayPass() || !policy.waits()) && door.tryBeginShutting()) {
            return true;
        }
        try {
            return policy.lock(line, door.label) && door.beginShutting(policy);
        } finally {
            if (line.isHeldByCurrentThread()) {
                line.unlock();
            }
        }
    }

    @Override
    public void unlock() {
        checkHeld("unlock it");
        if (holds > 1) {
            holds--;
        } else {
            openWithoutHolds();
        }
    }

    /** Opens the door; if that fails, the thread has its holds as before. */
    private void openWithoutHolds() {
        int held = holds;
        // Before the opening: after it, another thread may write it.
        holds = 0;
        boolean opened = false;
        try {
            door.open();
            opened = true;
        } finally {
            if (!opened && door.isShutByMe()) {
                holds = held;
            }
        }
    }

    @Override
    public Condition newCondition() {
        return new WriteCondition(door.mutex.newCondition());
    }

    /** How often the current thread has locked it and not unlocked. */
    int holdCount() {
        return door.isShutByMe() ? holds : 0;
    }

    /** How often the owner has locked it, for messages: without order, unless the owner asks. */
    int holdsOfOwner() {
        return door.isAlone() ? Math.max(1, holds) : 0;
    }

    /** How many writers wait for other writers: an estimate. */
    int queueLength() {
        return line.getQueueLength() + (line.isLocked() ? 1 : 0);
    }

    /** How many threads wait for a signal of the condition. */
    int waiters(Condition condition) {
        if (!(condition instanceof WriteCondition ours && ours.lock() == this)) {
            throw new IllegalArgumentException(
                    condition + " is not one of " + door.label + ": ask the lock that made it");
        }
        checkHeld("ask who waits for one of its conditions");
        StackSafeLock mutex = door.mutex;
        mutex.lock();
        try {
            return mutex.getWaitQueueLength(ours.waiters);
        } finally {
            mutex.unlock();
        }
    }

    private void checkHeld(String use) {
        if (holdCount() == 0) {
            throw new IllegalMonitorStateException(Reports.describe(Thread.currentThread())
                    + " does not hold the write lock of " + door.label + ", so it cannot " + use);
        }
    }

    @Override
    public String toString() {
        return "write lock[" + (door.isAlone() ? "locked" : "unlocked") + "]";
    }

    /**
     * A condition of the write lock. The door is open while a thread waits.
     *
     * <p>A thread takes the door's mutex, opens the door, and waits on a condition of the mutex. A signal needs the
     * write lock first, and then the mutex: none can come between the opening and the waiting.
     *
     * <p>If the door cannot be shut again with nobody inside (the stack overflows, or the kernel refuses the system
     * call), the wait ends with that error. If the thread had begun to shut the door, it has its holds, but readers may
     * be inside. It can unlock, and its next lock waits for the readers first.
     */
    @SuppressWarnings({"WaitNotInLoop", "JavaUtilDate"}) // the loop is the caller's, and the date Condition's
    private final class WriteCondition implements Condition {
        private final Condition waiters;

        private WriteCondition(Condition waiters) {
            this.waiters = waiters;
        }

        /*
         * What can end a wait besides a signal. These are numbers: a lambda or an enum would be linked or initialized
         * by a first wait, or with the first condition. If the heap were full then, all later ones could fail too.
         */
        private static final int INTERRUPT = 0;
        private static final int NOTHING_ELSE = 1;
        private static final int NANOS_OR_INTERRUPT = 2;
        private static final int DEADLINE_OR_INTERRUPT = 3;

        private static final long NO_LIMIT = Long.MAX_VALUE;

        @Override
        public void await() throws InterruptedException {
            boolean _ = waitUnlocked(INTERRUPT, NO_LIMIT);
        }

        @Override
        public void awaitUninterruptibly() {
            try {
                boolean _ = waitUnlocked(NOTHING_ELSE, NO_LIMIT);
            } catch (InterruptedException e) {
                throw new AssertionError("interrupted without waiting interruptibly", e);
            }
        }

        @Override
        public long awaitNanos(long nanosTimeout) throws InterruptedException {
            long start = System.nanoTime();
            long most = Math.max(0, nanosTimeout);
            boolean _ = waitUnlocked(NANOS_OR_INTERRUPT, most);
            // With the time that it took to get the lock back.
            return most - (System.nanoTime() - start);
        }

        @Override
        public boolean await(long time, TimeUnit unit) throws InterruptedException {
            return waitUnlocked(NANOS_OR_INTERRUPT, unit.toNanos(time));
        }

        @Override
        public boolean awaitUntil(Date deadline) throws InterruptedException {
            return waitUnlocked(DEADLINE_OR_INTERRUPT, deadline.getTime());
        }

        /**
         * Gives the lock up, waits, and takes the lock again. The limit is in nanoseconds; for {@link
         * #DEADLINE_OR_INTERRUPT} it is a date, in milliseconds.
         *
         * @return false if the limit ended the wait
         */
        private boolean waitUnlocked(int end, long limit) throws InterruptedException {
            checkHeld("wait for one of its conditions");
            checkNotReading("waits for a condition of its write lock, which it has to lock again after that");
            Ownership.refuseToWait("a condition of the write lock of ", door.label);
            // Room for all that follows, also for taking the lock again, from this depth of the stack.
            StackRoom.CURRENT.ensure();
            int held = holds;
            try {
                return openAndWait(end, limit);
            } finally {
                lockAgain(held);
            }
        }

        private boolean openAndWait(int end, long limit) throws InterruptedException {
            StackSafeLock mutex = door.mutex;
            mutex.lockInRoom();
            try {
                openWithoutHolds();
                return awaitSignal(end, limit);
            } finally {
                // An error may have broken the wait off before it had the mutex back.
                while (mutex.isHeldByCurrentThread()) {
                    mutex.unlock();
                }
            }
        }

        /** Returns false if the limit ended the wait. */
        private boolean awaitSignal(int end, long limit) throws InterruptedException {
            switch (end) {
                case NOTHING_ELSE -> waiters.awaitUninterruptibly();
                case NANOS_OR_INTERRUPT -> {
                    return waiters.await(limit, TimeUnit.NANOSECONDS);
                }
                case DEADLINE_OR_INTERRUPT -> {
                    return waiters.awaitUntil(new Date(limit));
                }
                default -> waiters.await();
            }
            return true;
        }

        @Override
        public void signal() {
            signal(false);
        }

        @Override
        public void signalAll() {
            signal(true);
        }

        private void signal(boolean all) {
            checkHeld("signal one of its conditions");
            door.mutex.lock();
            try {
                if (all) {
                    waiters.signalAll();
                } else {
                    waiters.signal();
                }
            } finally {
                door.mutex.unlock();
            }
        }

        private WriteLock lock() {
            return WriteLock.this;
        }

        @Override
        public String toString() {
            return "a condition of the write lock of " + door.label;
        }
    }

    /** Takes the lock back as it was; a thread that had not given it up just keeps it. */
    private void lockAgain(int held) {
        try {
            boolean _ = beginShutting(WaitPolicy.UNINTERRUPTIBLE);
            holds = held;
            if (!door.isAlone()) {
                boolean _ = door.awaitAlone(WaitPolicy.UNINTERRUPTIBLE);
            }
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted without waiting interruptibly", e);
        }
    }
}
