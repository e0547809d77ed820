package dev.percpu;

import com.google.errorprone.annotations.MustBeClosed;
import dev.percpu.cpu.CpuId;
import dev.percpu.internal.guard.OpenGuards;
import dev.percpu.internal.guard.Owners;
import dev.percpu.internal.guard.Ownership;
import dev.percpu.internal.guard.Reports;
import dev.percpu.internal.protocol.GuardWords;
import dev.percpu.memory.NumericWidth;
import java.lang.invoke.VarHandle;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Exclusive ownership of one CPU's data by one thread, from {@code acquire} until {@code close}.
 *
 * <pre>{@code
 * try (CpuGuard guard = CpuGuard.acquire()) {
 *     VARIABLE.getMut(guard).run(value -> value.change());
 * }
 * }</pre>
 *
 * <p><b>What it guarantees.</b> While a guard is held, no other thread holds a guard of the same CPU, so no other
 * thread touches that CPU's instances of guarded variables, whichever CPUs the scheduler moves the threads to.
 * Everything that an owner did happens before everything that the CPU's next owner does.
 *
 * <p><b>What it does not guarantee.</b> User space cannot disable preemption. While the owner is preempted, others that
 * need the guard wait. If the owner is moved to another CPU, it still owns the CPU that {@link #cpu()} names. Any
 * thread can still update pure numbers ({@link PerCpuNumeric#define(String, NumericWidth)}): no guard protects them.
 *
 * <p>A guard belongs to the thread that acquired it, which may be a virtual thread. The thread must not block while it
 * holds a guard, and must close it. If the thread ends without closing it, the next thread that wants the CPU's guard
 * takes it over and reports that in the log.
 *
 * <p>Guards nest: a thread that holds a guard acquires further ones without waiting. If it names no CPU, the nested
 * guard is for the CPU that the thread runs on, if that is free, and otherwise for one that the thread owns already. If
 * it names a CPU that another thread owns, {@link #acquire(CpuId)} throws. Guards must be closed in reverse order,
 * which {@code try} does automatically.
 *
 * <p>This is the {@code CpuGuard} of the Rust API. There, creating one disables preemption; here it does not.
 */
public final class CpuGuard implements AutoCloseable {
    /*
     * Without contention, acquiring a guard checks whether the thread is registered, runs one restartable sequence, and
     * increments the count of open guards. Closing it decrements the count and does a release store.
     *
     * Escape analysis has to remove this object, so that it costs nothing. For that, everything between acquire and
     * close must be inlined, and each method must have only one allocation site. With two (one for the fast path and
     * one for the slow path) escape analysis gives up, and each guard is an object on the heap.
     *
     * Where the object is on the heap (in the interpreter, for example), its memory is allocated before the CPU is
     * acquired: Java allocates for "new" before it evaluates the arguments. In the opposite order, a full heap would
     * leave a CPU owned by a thread that has no guard to close. Nothing is allocated between the sequence and the
     * count. The stack can still overflow there; then the CPU is recovered.
     */
    private static final GuardWords GUARD_WORDS = GuardWords.CURRENT;

    static {
        // Before the first guard is acquired: its holder asks for the CPU when the heap may be full.
        CpuId _ = CpuId.of(0);
        Ownership.setGuardClass(CpuGuard.class.getName());
    }

    private final Thread owner;
    final int cpu;

    /** How many guards of the CPU were open before this one. */
    final int level;

    private boolean hasTokens;

    /** This guard is no longer counted, but the CPU may not have been released yet. */
    boolean closing;

    private boolean closed;

    /** Forces this class to initialize when something that uses guards is made, so that its first use cannot fail. */
    static void initialize() {
        // Calling this is enough.
    }

    /** @param cpu negative if no guard was acquired; then the caller must not hand this object out */
    private CpuGuard(Thread owner, int cpu) {
        // Neither the compiler nor the CPU, whatever its architecture, may move the owner's reads up
        // past the acquisition.
        VarHandle.acquireFence();
        this.owner = owner;
        this.cpu = cpu;
        this.level = cpu >= 0 ? OpenGuards.open(cpu) : OpenGuards.ENDED;
    }

    /**
     * Acquires the guard of the CPU that this thread runs on, and waits while another thread holds it. A thread that
     * holds a guard already does not wait.
     *
     * @throws IllegalStateException if the thread has 255 guards of the CPU open already; or if it would have to wait,
     *     and C code that holds a guard has called this Java code
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
     * @throws IllegalStateException as {@link #acquire()} does
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
     * @throws IllegalStateException if the thread has 255 guards of the CPU open already
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
     * @throws IllegalStateException as {@link #acquire()} does
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
     * @throws IllegalStateException if another thread holds the guard, and this thread must not wait because it holds
     *     one already, or because C code that holds one has called this Java code; or if the thread has 255 guards of
     *     the CPU open already
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
     * @throws IllegalStateException if the thread has 255 guards of the CPU open already
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
     * @throws IllegalStateException as {@link #acquire(CpuId)} does, at once and not when the time is up
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
     * The Java thread that holds a CPU's guard. The result is empty if the guard is free, if C code holds it, or if its
     * owner has ended and was collected; {@link #describeOwner} names those as well. The owner may have changed by the
     * time the caller uses the result, so this is for monitoring.
     */
    public static Optional<Thread> owner(CpuId cpu) {
        return Optional.ofNullable(Ownership.ownerThread(cpu.id()));
    }

    /**
     * Describes the holder of a CPU's guard in words, for messages; empty if the guard is free. Like the result of
     * {@link #owner}, the description may be out of date by the time the caller uses it.
     */
    public static Optional<String> describeOwner(CpuId cpu) {
        long owner = Ownership.owner(cpu.id());
        return owner == 0 ? Optional.empty() : Optional.of(Ownership.describe(owner));
    }

    /** Whether the current thread holds a guard, of any CPU. A thread that does must not block. */
    public static boolean isHeldByCurrentThread() {
        return Ownership.ownedBy(Thread.currentThread()) >= 0;
    }

    /** The CPU whose data the thread owns. The thread may run elsewhere by now. */
    public CpuId cpu() {
        return CpuId.of(cpu);
    }

    /**
     * Releases the CPU, or ends a nested guard. If an error such as {@link StackOverflowError} interrupts this method,
     * it can be called again.
     *
     * @throws WrongThreadException if another thread acquired the guard
     * @throws IllegalStateException if this guard is closed already, or if a guard of the same CPU that was acquired
     *     after it is still open
     */
    @Override
    public void close() {
        checkThread();
        if (closed) {
            throw closedAlready(cpu);
        }
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
        // The store to the count is the last step of setCount, so an error leaves both the count and "closing" changed
        // or neither.
        OpenGuards.setCount(cpu, level);
        closing = true;
        if (level == 0) {
            Ownership.release(cpu);
        }
        // Set last, so that a close that an error interrupted can be repeated.
        closed = true;
    }

    /**
     * Completes a close that an error interrupted. Since then, the CPU may have been released, and even acquired again.
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
        checkThread();
        // Also not after a close that an error interrupted: the CPU may belong to another thread by now.
        if (closing || closed) {
            throw closedAlready(cpu);
        }
        return cpu;
    }

    // Static: if this is not inlined, an instance method would need the guard as an object on the heap.
    private static IllegalStateException closedAlready(int cpu) {
        return new IllegalStateException("the guard of CPU " + cpu + " is closed");
    }

    private void checkThread() {
        if (owner != Thread.currentThread()) {
            throw new WrongThreadException(Ownership.describeWrongThread(cpu, owner));
        }
    }

    /**
     * This guard's serial number among all guards of its CPU, for a token to record. It identifies this guard until the
     * guard is closed.
     */
    long serial() {
        hasTokens = true;
        return OpenGuards.serial(cpu, level);
    }

    @Override
    public String toString() {
        return "guard of CPU " + cpu + (closed ? ", closed" : ", held by " + Reports.describe(owner));
    }
}
