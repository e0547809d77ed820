package dev.percpu;

import com.google.errorprone.annotations.MustBeClosed;
import dev.percpu.cpu.CpuId;
import dev.percpu.internal.guard.OpenGuards;
import dev.percpu.internal.guard.Owners;
import dev.percpu.internal.guard.Ownership;
import dev.percpu.internal.protocol.GuardWords;
import dev.percpu.memory.NumericWidth;
import java.lang.invoke.VarHandle;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Makes the current thread the owner of one CPU's data until it is closed.
 *
 * <pre>{@code
 * try (CpuGuard guard = CpuGuard.acquire()) {
 *     VARIABLE.getMut(guard).run(value -> value.change());
 * }
 * }</pre>
 *
 * <p><b>What it guarantees.</b> While a guard is held, no other thread holds a guard of the same CPU, so none touches
 * that CPU's instances of guarded variables, wherever the scheduler moves either thread. What an owner did happens
 * before what the CPU's next owner does.
 *
 * <p><b>What it does not.</b> User space cannot switch preemption off. The owner can be preempted, and then threads
 * that come to its CPU wait; it can be moved, and then it goes on owning the CPU that {@link #cpu()} names. Numbers
 * that no guard protects ({@link PerCpuNumeric#define(String, NumericWidth)}) go on being updated by anyone.
 *
 * <p>A guard belongs to the thread that acquired it, a virtual one too. The thread must not block while it holds one,
 * and must close it; if the thread ends without, the next thread that wants the CPU takes it over and says so in the
 * log.
 *
 * <p>Guards nest: a thread that holds one gets further ones without waiting, of the CPU it runs on if that is free and
 * otherwise of one that it owns already. They are closed in the reverse order, which {@code try} does by itself.
 *
 * <p>It is the {@code CpuGuard} of the Rust API, whose creation is the kernel's {@code preempt_disable()}.
 */
public final class CpuGuard implements AutoCloseable {
    /*
     * Acquiring and releasing, as it is when nobody disturbs: a look whether the thread is registered, one restartable
     * sequence, the count of open guards up; the count down, and a release store.
     *
     * This object is to cost nothing: everything between acquire and close must be inlined, and each method has one
     * allocation site only. With two (one for the fast and one for the slow way) escape analysis gives up, and each
     * guard is an object on the heap.
     *
     * Where the object is on the heap (in the interpreter, say), its memory is taken before the CPU is: Java
     * allocates for "new" before it evaluates the arguments. The other way round, a full heap would leave a CPU owned
     * by a thread that has no guard to close. From the sequence to the count nothing is allocated; the stack can
     * still overflow there, and then the CPU is recovered.
     */
    private static final GuardWords GUARD_WORDS = GuardWords.CURRENT;

    private final Thread owner;
    private final int cpu;
    private final int level;
    private boolean hasTokens;

    /** It is not counted any more, but the CPU may not be released yet. */
    private boolean closing;

    private boolean closed;

    /** @param cpu negative if none was acquired; then the guard is not to reach anyone */
    private CpuGuard(Thread owner, int cpu) {
        // On this architecture or that, a compiler may not move the owner's reads up past the acquisition.
        VarHandle.acquireFence();
        this.owner = owner;
        this.cpu = cpu;
        this.level = cpu >= 0 ? OpenGuards.open(cpu) : OpenGuards.ENDED;
    }

    /**
     * Acquires the guard of the CPU that this thread runs on, and waits while another thread holds it. A thread that
     * holds a guard already does not wait.
     *
     * @throws IllegalStateException if the thread has more than 255 guards nested
     */
    @MustBeClosed
    public static CpuGuard acquire() {
        Thread me = Thread.currentThread();
        return new CpuGuard(me, acquireCurrent(me));
    }

    private static int acquireCurrent(Thread me) {
        int outcome = attempt(me);
        return outcome >= 0 ? outcome : Ownership.acquire(me, outcome);
    }

    /**
     * Like {@link #acquire()}, but an interrupt ends the wait.
     *
     * @throws InterruptedException if the thread is interrupted, now or while it waits; its interrupted status is
     *     cleared then
     */
    @MustBeClosed
    public static CpuGuard acquireInterruptibly() throws InterruptedException {
        checkInterrupt();
        Thread me = Thread.currentThread();
        return new CpuGuard(me, acquireCurrent(me, Long.MAX_VALUE));
    }

    /**
     * Like {@link #acquire()}, but never waits.
     *
     * @return null if another thread holds the guard; {@code try} accepts that as a resource
     */
    @MustBeClosed
    public static @Nullable CpuGuard tryAcquire() {
        Thread me = Thread.currentThread();
        CpuGuard guard = new CpuGuard(me, tryAcquireCurrent(me));
        return guard.cpu >= 0 ? guard : null;
    }

    private static int tryAcquireCurrent(Thread me) {
        int outcome = attempt(me);
        return outcome >= 0 ? outcome : Ownership.tryAcquire(me, outcome);
    }

    /**
     * Like {@link #acquire()}, but waits no longer than a given time, and an interrupt ends the wait.
     *
     * @param timeout the longest time to wait; if it is not positive, the method does not wait
     * @return null if another thread still holds the guard then; {@code try} accepts that as a resource
     * @throws InterruptedException if the thread is interrupted, now or while it waits; its interrupted status is
     *     cleared then
     */
    @MustBeClosed
    public static @Nullable CpuGuard tryAcquire(long timeout, TimeUnit unit) throws InterruptedException {
        long nanos = unit.toNanos(timeout);
        checkInterrupt();
        Thread me = Thread.currentThread();
        CpuGuard guard = new CpuGuard(me, acquireCurrent(me, nanos));
        return guard.cpu >= 0 ? guard : null;
    }

    private static int acquireCurrent(Thread me, long nanos) throws InterruptedException {
        int outcome = attempt(me);
        return outcome >= 0 ? outcome : Ownership.acquire(me, outcome, nanos);
    }

    private static int attempt(Thread me) {
        Owners.register(me);
        return GUARD_WORDS.tryAcquire(me.threadId());
    }

    /**
     * Acquires the guard of a given CPU, from any CPU, and waits while another thread holds it. This costs a system
     * call, and interrupts the other CPU for a moment.
     *
     * @throws IllegalStateException if another thread holds the guard and this thread holds one already, so that it
     *     must not wait; or if the thread has more than 255 guards nested
     */
    @MustBeClosed
    public static CpuGuard acquire(CpuId cpu) {
        Thread me = Thread.currentThread();
        return new CpuGuard(me, Ownership.acquireOn(me, cpu.id()));
    }

    /**
     * Like {@link #acquire(CpuId)}, but an interrupt ends the wait.
     *
     * @throws IllegalStateException as {@link #acquire(CpuId)} does
     * @throws InterruptedException if the thread is interrupted, now or while it waits; its interrupted status is
     *     cleared then
     */
    @MustBeClosed
    public static CpuGuard acquireInterruptibly(CpuId cpu) throws InterruptedException {
        checkInterrupt();
        Thread me = Thread.currentThread();
        return new CpuGuard(me, Ownership.acquireOn(me, cpu.id(), Long.MAX_VALUE));
    }

    /**
     * Like {@link #acquire(CpuId)}, but never waits.
     *
     * @return null if another thread holds the guard; {@code try} accepts that as a resource
     */
    @MustBeClosed
    public static @Nullable CpuGuard tryAcquire(CpuId cpu) {
        Thread me = Thread.currentThread();
        CpuGuard guard = new CpuGuard(me, Ownership.tryAcquireOn(me, cpu.id()));
        return guard.cpu >= 0 ? guard : null;
    }

    /**
     * Like {@link #acquire(CpuId)}, but waits no longer than a given time, and an interrupt ends the wait.
     *
     * @param timeout the longest time to wait; if it is not positive, the method does not wait
     * @return null if another thread still holds the guard then; {@code try} accepts that as a resource
     * @throws IllegalStateException if it would have to wait and this thread holds a guard already; or if the thread
     *     has more than 255 guards nested
     * @throws InterruptedException if the thread is interrupted, now or while it waits; its interrupted status is
     *     cleared then
     */
    @MustBeClosed
    public static @Nullable CpuGuard tryAcquire(CpuId cpu, long timeout, TimeUnit unit) throws InterruptedException {
        long nanos = unit.toNanos(timeout);
        checkInterrupt();
        Thread me = Thread.currentThread();
        CpuGuard guard = new CpuGuard(me, Ownership.acquireOn(me, cpu.id(), nanos));
        return guard.cpu >= 0 ? guard : null;
    }

    private static void checkInterrupt() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("before a guard was acquired");
        }
    }

    /**
     * The thread that holds a CPU's guard, as far as it is one of Java's: {@link #describeOwner} names C code as
     * well. It may have changed by the time the caller looks at the answer, so this is for monitoring.
     */
    public static Optional<Thread> owner(CpuId cpu) {
        return Optional.ofNullable(Ownership.ownerThread(cpu.id()));
    }

    /**
     * Who holds a CPU's guard, in words: for messages, and as short-lived as what {@link #owner} returns.
     *
     * @return empty if the guard is free
     */
    public static Optional<String> describeOwner(CpuId cpu) {
        long owner = Ownership.owner(cpu.id());
        return owner == 0 ? Optional.empty() : Optional.of(Ownership.describe(owner));
    }

    /** Whether the current thread holds a guard, of whatever CPU. Who does must not block. */
    public static boolean isHeldByCurrentThread() {
        return Ownership.ownedBy(Thread.currentThread()) >= 0;
    }

    /** The CPU whose data the thread owns. The thread may run elsewhere by now. */
    public CpuId cpu() {
        return CpuId.of(cpu);
    }

    /**
     * Gives the CPU up, or ends a nested guard. If an error breaks this off ({@link StackOverflowError}, say), it can
     * be repeated.
     *
     * @throws WrongThreadException if another thread acquired the guard
     * @throws IllegalStateException if it is closed already, or a guard of the same CPU that was acquired after it is
     *     not
     */
    @Override
    public void close() {
        checkUsable();
        if (closing) {
            finishClosing();
            return;
        }
        if (OpenGuards.count(cpu) != level + 1) {
            throw new IllegalStateException("the guard of CPU " + cpu
                    + " cannot be closed while one that was acquired after it is open: close them in reverse order");
        }
        if (hasTokens) {
            OpenGuards.endSerial(cpu, level);
        }
        // The count is stored last in there, so after an error either both are done or neither is.
        OpenGuards.setCount(cpu, level);
        closing = true;
        if (level == 0) {
            Ownership.release(cpu);
        }
        // Last, so that a close that an error broke off can be repeated.
        closed = true;
    }

    /**
     * An error broke the first close off. Since then, the CPU may have been freed, and even have been acquired again.
     */
    private void finishClosing() {
        if (level == 0) {
            Ownership.releaseLeftBehind(owner, cpu);
        }
        closed = true;
    }

    /**
     * Checks that the current thread may use this guard.
     *
     * @return the CPU's id
     */
    int checkUsable() {
        if (owner != Thread.currentThread()) {
            throw new WrongThreadException("the guard of CPU " + cpu + " belongs to " + owner
                    + ", which alone can use and close it, not " + Thread.currentThread());
        }
        if (closed) {
            throw new IllegalStateException("the guard of CPU " + cpu + " is closed");
        }
        return cpu;
    }

    /** This guard's serial number among all of its CPU's guards, for a token; it is this guard's until it is closed. */
    long serial() {
        hasTokens = true;
        return OpenGuards.serial(cpu, level);
    }

    /** How many guards of the CPU were open before this one. */
    int level() {
        return level;
    }

    @Override
    public String toString() {
        return "guard of CPU " + cpu + (closed ? ", closed" : ", held by " + owner);
    }
}
