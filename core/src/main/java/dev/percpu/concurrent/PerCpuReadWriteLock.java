package dev.percpu.concurrent;

import dev.percpu.internal.guard.Ownership;
import dev.percpu.internal.listing.Registry;
import dev.percpu.internal.listing.Values;
import dev.percpu.listing.Value;
import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.Serial;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;

/**
 * A read-write lock whose readers do not slow each other down: as long as no writer comes, each reader counts itself in
 * and out on its CPU. The first writer after that makes a system call, which interrupts the other CPUs for a moment.
 * Then readers count with atomic instructions for a while, and a write can take longer than with other
 * locks. The lock switches between the two by itself, depending on how many readers come between writers. Use it for
 * data that is read far more often than written. For other data, other locks are as fast or faster. If only one thread
 * uses the lock, other locks are faster even with a few writes.
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
 * <p><b>Who comes first.</b> A writer that waits for readers keeps new readers out. Beyond that, fairness is a choice,
 * as in {@code java.util.concurrent}, and the default is not fair: a writer that comes at the right moment overtakes
 * writers and readers that wait. Readers do not starve: when one of them has been overtaken for a millisecond, all
 * waiting readers come in when the next writer ends. A fair lock keeps writers in the order in which they asked, and
 * lets in all waiting readers between any two writers, so that a reader waits for one writer and no more. Each write
 * may then take as long as it takes to wake a thread. The untimed {@code tryLock} of the write lock overtakes waiting
 * threads even in a fair lock.
 *
 * <p><b>No thread owns the read lock.</b> It is a count: it knows neither which threads are inside nor how often. So
 *
 * <ul>
 *   <li>it may be unlocked on another CPU, and by another thread, than it was locked;
 *   <li><em>it is not reentrant</em>: if a thread that has it locks it again, and a writer has come in between, the
 *       thread waits for ever, since that writer waits for the thread's first lock. The kernel's {@code percpu_rwsem}
 *       has the same rule. {@code tryLock} is safe: it does not wait;
 *   <li>it <em>cannot be upgraded</em>: if a thread that has it locks the write lock, the thread waits for itself. The
 *       timed {@code tryLock} returns false;
 *   <li>one unlock too many throws {@link IllegalMonitorStateException}: either at once, if a writer has come recently,
 *       or in the next writer. If a writer finds it, the lock refuses writers for good, since it is not known any more
 *       whether readers are inside. If another reader is inside, the extra unlock counts as that reader's: a writer can
 *       come in beside the reader, whose own unlock then throws.
 * </ul>
 *
 * <p><b>The write lock</b> belongs to the thread that locked it, is reentrant, and can be turned into a read lock: its
 * holder may lock the read lock, which does not wait, and then unlock the write lock. Only its holder can unlock it;
 * others get an {@link IllegalMonitorStateException}.
 *
 * <p><b>Conditions</b> are the write lock's, and do what those of a {@link
 * java.util.concurrent.locks.ReentrantReadWriteLock} do: a thread that waits gives up all holds, so that readers and
 * writers can come in, and takes them again before it returns. If an error keeps it from shutting readers out again,
 * the wait ends with that error. Then readers may be inside, and the thread should do nothing but unlock, if it still
 * has the lock. The read lock has no conditions.
 *
 * <p>Threads that wait are parked, virtual threads too, and do not pin their carriers. Interrupts and time limits are
 * those of {@link Lock}. A thread that holds a {@link dev.percpu.CpuGuard} and would have to wait gets an {@link
 * IllegalStateException} instead, since the thread that it waits for may need the guard. Waits of more than two seconds
 * are reported by warnings: at most one a minute about waits for a writer, and one about waits for readers.
 *
 * <p><b>Checked mode.</b> With the system property {@code percpu.checked} set to {@code true}, the lock remembers which
 * thread locked the read lock, and where. Then {@code lock()} and {@code lockInterruptibly()} throw {@link
 * IllegalStateException} where they could wait for their own thread: a read lock in a read lock, whether or not a
 * writer comes, and a write lock in a read lock. One unlock too many throws {@link IllegalMonitorStateException} at
 * once. Suppressed exceptions say where the lock was locked. That costs microseconds: use it in tests. A hold counts as
 * that of the thread that locked it, until it is unlocked. So checked mode refuses one thing that the lock allows: a
 * thread locks, leaves the unlock to another thread, and locks again before that unlock. Such a program uses {@code
 * tryLock}, or does without checked mode.
 *
 * <p>Serialization keeps only the fairness: a deserialized lock is unlocked and has no name.
 *
 * <p>A lock takes 32 bytes for each CPU and for each hot thread. They come back once the lock is unreachable.
 */
public final class PerCpuReadWriteLock implements ReadWriteLock, Serializable {
    @Serial
    private static final long serialVersionUID = 1;

    private static final String UNNAMED = "a PerCpuReadWriteLock";

    static {
        // Not in the first wait, which may come when the heap is full.
        WaitPolicy _ = WaitPolicy.NONE;
        Ownership.initialize();
    }

    private final transient ReaderDoor door;
    private final transient ReadLock readLock;
    private final transient WriteLock writeLock;

    /**
     * Creates an unlocked lock that is not fair.
     *
     * @throws dev.percpu.memory.AreaFullException if the per-CPU area is full
     */
    public PerCpuReadWriteLock() {
        this(false);
    }

    /**
     * Creates an unlocked lock.
     *
     * @param fair whether writers come in the order in which they asked, and readers between any two writers, which
     *     makes writes many times slower if threads write all the time
     * @throws dev.percpu.memory.AreaFullException if the per-CPU area is full
     */
    public PerCpuReadWriteLock(boolean fair) {
        this(new ReaderDoor(UNNAMED, fair, new ReaderThresholds()));
    }

    /**
     * Creates an unlocked lock that has a name and is not fair.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @throws dev.percpu.memory.AreaFullException if the per-CPU area is full
     */
    public PerCpuReadWriteLock(String name) {
        this(name, false);
    }

    /**
     * Creates an unlocked lock that has a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @param fair whether writers come in the order in which they asked, and readers between any two writers
     * @throws dev.percpu.memory.AreaFullException if the per-CPU area is full
     */
    public PerCpuReadWriteLock(String name, boolean fair) {
        this(new ReaderDoor(Registry.checkName(name), fair, new ReaderThresholds()));
        Registry.add(name, "PerCpuReadWriteLock", this, PerCpuReadWriteLock::values);
    }

    /** Creates a lock of a given door, for tests too. */
    PerCpuReadWriteLock(ReaderDoor door) {
        this.door = door;
        door.whole = this;
        readLock = new ReadLock(door);
        writeLock = new WriteLock(door);
    }

    /**
     * The lock for reading.
     *
     * <p>Its {@code tryLock} without a time limit fails while a writer has the lock, waits for it, or tries to get it.
     * The timed {@code tryLock} and {@code lock} wait for such a writer instead.
     */
    @Override
    public Lock readLock() {
        return readLock;
    }

    /**
     * The lock for writing.
     *
     * <p>Its methods may throw {@link IllegalMonitorStateException} if the read lock was unlocked too often, or if an
     * error interrupted a read lock or unlock, so that nobody knows how many readers are inside. Its {@code
     * tryLock} without a time limit fails if a reader is inside; finding that out can cost a system call, during which
     * new readers wait.
     */
    @Override
    public Lock writeLock() {
        return writeLock;
    }

    /** Whether writers come in the order in which they asked, and readers between any two writers. */
    public boolean isFair() {
        return door.fair;
    }

    /** Whether any thread has the write lock; not whether one waits for it. */
    public boolean isWriteLocked() {
        return door.isAlone();
    }

    /** Whether the current thread has the write lock. */
    public boolean isWriteLockedByCurrentThread() {
        return getWriteHoldCount() > 0;
    }

    /** How often the current thread has locked the write lock and not unlocked it yet. */
    public int getWriteHoldCount() {
        return writeLock.holdCount();
    }

    /** Whether any thread waits for the read lock or the write lock; others may come and go meanwhile. */
    public boolean hasQueuedThreads() {
        return getQueueLength() > 0;
    }

    /** How many threads wait for the read lock or the write lock: an estimate, as they come and go meanwhile. */
    public int getQueueLength() {
        return (int) Math.min(Integer.MAX_VALUE, writeLock.queueLength() + door.waiting());
    }

    /**
     * Whether any thread waits for a signal of a condition of the write lock.
     *
     * @throws IllegalMonitorStateException if the current thread does not have the write lock
     * @throws IllegalArgumentException if the condition is another lock's
     */
    public boolean hasWaiters(Condition condition) {
        return writeLock.waiters(condition) > 0;
    }

    /**
     * How many threads wait for a signal of a condition of the write lock.
     *
     * @throws IllegalMonitorStateException if the current thread does not have the write lock
     * @throws IllegalArgumentException if the condition is another lock's
     */
    public int getWaitQueueLength(Condition condition) {
        return writeLock.waiters(condition);
    }

    /** For a listing. Readers are known while a writer has the lock or waits for readers, and for a while after. */
    private List<Value> values() {
        List<Value> values = new ArrayList<>();
        values.add(Values.of("writeLocked", isWriteLocked() ? 1 : 0));
        values.add(Values.of("waiting", getQueueLength()));
        long readers = door.readersIfKnown();
        if (readers >= 0) {
            values.add(Values.of("readers", readers));
        }
        return values;
    }

    /**
     * How often the write lock is held, and the read lock: {@code "table[Write locks = 0, Read locks = not counted]"}.
     * Read locks are known while a writer has the lock or waits for readers, and for a while after that.
     */
    @Override
    public String toString() {
        return door.label + "[Write locks = " + writeLock.holdsOfOwner() + ", Read locks = " + readLock.holds() + "]";
    }

    @Serial
    private Object writeReplace() {
        return new Serialized(isFair());
    }

    @Serial
    private void readObject(ObjectInputStream stream) throws InvalidObjectException {
        throw new InvalidObjectException(getClass().getName() + " is deserialized from its proxy only: the stream is"
                + " not one that it was serialized to");
    }

    /** What goes into a stream. */
    private record Serialized(boolean fair) implements Serializable {
        @Serial
        private Object readResolve() {
            return new PerCpuReadWriteLock(fair);
        }
    }

    static void checkInterrupt() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
    }
}
