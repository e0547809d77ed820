package dev.percpu.concurrent;

import dev.percpu.internal.Registry;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A read-write lock whose readers do not slow each other down: each counts itself in and out on its own CPU. A writer
 * pays for that, with a system call that interrupts the other CPUs for a moment. It is for data that is read all the
 * time and written now and then.
 *
 * <pre>{@code
 * private final PerCpuReadWriteLock lock = new PerCpuReadWriteLock();
 *
 * lock.readLock().lock();
 * try {
 *     return table.get(key);
 * } finally {
 *     lock.readLock().unlock();
 * }
 * }</pre>
 *
 * <p><b>Ordering.</b> What is done before a read unlock happens before the return of the next write lock; what is done
 * before a write unlock happens before the return of later read and write locks.
 *
 * <p><b>Who comes first.</b> Writers come in the order in which they asked, and one that waits keeps new readers out.
 * Readers that wait come in together when the writer ends, before the next writer. So a writer waits for the writers
 * before it and for the readers that are inside at its turn, and a reader waits for one writer: neither starves. The
 * untimed {@code tryLock} of the write lock passes over the line.
 *
 * <p><b>The read lock belongs to nobody.</b> It is a count: it knows neither which threads are inside nor how often. So
 *
 * <ul>
 *   <li>it may be unlocked on another CPU, and by another thread, than it was locked;
 *   <li><em>it is not reentrant</em>: a thread that has it and locks it again waits for ever if a writer came in
 *       between, as that writer waits for the thread's first lock. The kernel's {@code percpu_rwsem} has the same
 *       rule. {@code tryLock} is safe there;
 *   <li>it <em>cannot be upgraded</em>: a thread that has it and locks the write lock waits for itself. The timed
 *       {@code tryLock} returns false;
 *   <li>an unlock too many is found when the next writer locks, or at once while a writer has the lock, if no other
 *       reader's lock hides it: {@link IllegalMonitorStateException}. The lock then refuses writers for good, since
 *       nobody can say any more whether readers are inside.
 * </ul>
 *
 * <p><b>The write lock</b> belongs to the thread that locked it, is reentrant, and can be turned into a read lock: its
 * holder may lock the read lock, which does not wait, and then unlock the write lock. Only its holder can unlock it; others
 * get an {@link IllegalMonitorStateException}.
 *
 * <p>Neither lock has conditions. Threads that wait are parked, virtual threads too, and do not pin their carriers.
 * Interrupts and time limits are those of {@link Lock}.
 *
 * <p>A lock takes 16 bytes for each CPU. One that becomes unreachable gives them back by itself.
 */
public final class PerCpuReadWriteLock implements ReadWriteLock {
    /** Held by the writer that has the gate shut or is shutting it; fair, so it is also the writers' line. */
    private final ReentrantLock writers = new ReentrantLock(true);

    private final Lock readLock;
    private final Lock writeLock;

    /**
     * Makes a lock that nobody has.
     *
     * @throws dev.percpu.memory.AreaFullException if the per-CPU area is full
     */
    public PerCpuReadWriteLock() {
        this(new ReaderGate("a per-CPU read-write lock"));
    }

    /**
     * Makes a lock that nobody has, with a name.
     *
     * @param name for messages and listings; it need not be unique
     * @throws dev.percpu.memory.AreaFullException if the per-CPU area is full
     */
    public PerCpuReadWriteLock(String name) {
        this(new ReaderGate(Registry.checkName(name)));
        Registry.add(name, "PerCpuReadWriteLock", this);
    }

    private PerCpuReadWriteLock(ReaderGate gate) {
        readLock = new ReadLock(gate, writers);
        writeLock = new WriteLock(gate, writers);
    }

    /**
     * The lock for reading.
     *
     * <p>Its {@code tryLock} without a time limit fails while a writer has the lock, waits for it, or tries to get it.
     * No other method fails for a writer that only tries.
     */
    @Override
    public Lock readLock() {
        return readLock;
    }

    /**
     * The lock for writing.
     *
     * <p>Its methods may throw {@link IllegalMonitorStateException} if the read lock was unlocked too often. Its
     * {@code tryLock} without a time limit fails if a reader is inside; finding that out costs a system call, and holds
     * new readers off for as long.
     */
    @Override
    public Lock writeLock() {
        return writeLock;
    }

    /** Whether the current thread has the write lock. */
    public boolean isWriteLockedByCurrentThread() {
        return writers.isHeldByCurrentThread();
    }

    @Override
    public String toString() {
        return super.toString() + (writers.isLocked() ? "[a writer has it or waits]" : "[open to readers]");
    }

    private static final class ReadLock implements Lock {
        private final ReaderGate gate;
        private final ReentrantLock writers;

        private ReadLock(ReaderGate gate, ReentrantLock writers) {
            this.gate = gate;
            this.writers = writers;
        }

        @Override
        public void lock() {
            if (!gate.tryEnter()) {
                enterUninterruptibly();
            }
        }

        @Override
        public void lockInterruptibly() throws InterruptedException {
            checkInterrupt();
            if (!gate.tryEnter()) {
                enter(Patience.INTERRUPTIBLE);
            }
        }

        @Override
        public boolean tryLock() {
            return gate.tryEnter() || enterAsWriter();
        }

        @Override
        public boolean tryLock(long time, TimeUnit unit) throws InterruptedException {
            checkInterrupt();
            return gate.tryEnter() || enter(Patience.ofNanos(unit.toNanos(time)));
        }

        private void enterUninterruptibly() {
            try {
                boolean _ = enter(Patience.UNINTERRUPTIBLE);
            } catch (InterruptedException e) {
                throw new AssertionError("interrupted without waiting interruptibly", e);
            }
        }

        private boolean enter(Patience patience) throws InterruptedException {
            return enterAsWriter() || gate.enter(patience);
        }

        /** The writer is inside already, and would wait for itself. */
        private boolean enterAsWriter() {
            if (!writers.isHeldByCurrentThread()) {
                return false;
            }
            gate.enterShut();
            return true;
        }

        @Override
        public void unlock() {
            gate.leave();
        }

        @Override
        public Condition newCondition() {
            throw new UnsupportedOperationException("a read lock has no conditions: use another lock's");
        }

        @Override
        public String toString() {
            return "read lock" + (writers.isLocked() ? "[a writer has the lock or waits]" : "[open]");
        }
    }

    private static final class WriteLock implements Lock {
        private final ReaderGate gate;
        private final ReentrantLock writers;

        /** How often the owner has locked; for the holder of {@link #writers}. */
        private int holds;

        private WriteLock(ReaderGate gate, ReentrantLock writers) {
            this.gate = gate;
            this.writers = writers;
        }

        @Override
        public void lock() {
            writers.lock();
            boolean _ = shutUninterruptibly(Patience.UNINTERRUPTIBLE);
        }

        @Override
        public void lockInterruptibly() throws InterruptedException {
            writers.lockInterruptibly();
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
            return writers.tryLock(nanos, TimeUnit.NANOSECONDS) && shut(patience);
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
            if (!writers.isHeldByCurrentThread() || holds == 0) {
                throw new IllegalMonitorStateException(
                        Thread.currentThread() + " does not have the write lock, so it cannot unlock it");
            }
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
            throw new UnsupportedOperationException("this write lock has no conditions: use a ReentrantLock's");
        }

        @Override
        public String toString() {
            return "write lock" + (writers.isLocked() ? "[a writer has it or waits]" : "[free]");
        }
    }

    private static void checkInterrupt() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
    }
}
