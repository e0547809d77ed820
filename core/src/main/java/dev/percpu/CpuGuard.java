package dev.percpu;

import com.google.errorprone.annotations.MustBeClosed;
import dev.percpu.cpu.CpuId;
import dev.percpu.internal.guard.OpenGuards;
import dev.percpu.internal.guard.Ownership;
import dev.percpu.internal.protocol.GuardWords;
import dev.percpu.memory.NumericWidth;
import java.lang.invoke.VarHandle;
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
     * Acquiring and releasing, as it is when nobody disturbs: one restartable sequence, a look at the last owner, the
     * count of open guards up; the count down, and a release store. This object is to cost nothing: everything between
     * acquire and close must be inlined, and there is one allocation site only. With two (one for the fast and one for the slow
     * way) escape analysis gives up, and each guard is an object on the heap.
     */
    private static final GuardWords GUARD_WORDS = GuardWords.CURRENT;

    private final Thread owner;
    private final int cpu;
    private final int level;
    private boolean hasTokens;
    private boolean closed;

    private CpuGuard(Thread owner, int cpu) {
        // On this architecture or that, a compiler may not move the owner's reads up past the acquisition.
        VarHandle.acquireFence();
        this.owner = owner;
        this.cpu = cpu;
        Ownership.record(owner, cpu);
        this.level = OpenGuards.count(cpu);
        if (level == OpenGuards.MOST) {
            throw new IllegalStateException("this thread has " + level + " guards of CPU " + cpu
                    + " open, and more are not possible: a guard is not being closed");
        }
        // From here on the guard must reach the caller, so nothing may follow that can fail.
        OpenGuards.setCount(cpu, level + 1);
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
        int outcome = GUARD_WORDS.tryAcquire(me.threadId());
        return new CpuGuard(me, outcome >= 0 ? outcome : Ownership.acquire(me, outcome));
    }

    /**
     * Like {@link #acquire()}, but never waits.
     *
     * @return null if another thread holds the guard; {@code try} accepts that as a resource
     */
    @MustBeClosed
    public static @Nullable CpuGuard tryAcquire() {
        Thread me = Thread.currentThread();
        int outcome = GUARD_WORDS.tryAcquire(me.threadId());
        int cpu = outcome >= 0 ? outcome : Ownership.tryAcquire(me, outcome);
        return cpu >= 0 ? new CpuGuard(me, cpu) : null;
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
     * Like {@link #acquire(CpuId)}, but never waits.
     *
     * @return null if another thread holds the guard; {@code try} accepts that as a resource
     */
    @MustBeClosed
    public static @Nullable CpuGuard tryAcquire(CpuId cpu) {
        Thread me = Thread.currentThread();
        int outcome = Ownership.tryAcquireOn(me, cpu.id());
        return outcome >= 0 ? new CpuGuard(me, outcome) : null;
    }

    /** The CPU whose data the thread owns. The thread may run elsewhere by now. */
    public CpuId cpu() {
        return CpuId.of(cpu);
    }

    /**
     * Gives the CPU up, or ends a nested guard.
     *
     * @throws WrongThreadException if another thread acquired the guard
     * @throws IllegalStateException if it is closed already, or a guard of the same CPU that was acquired after it is
     *     not
     */
    @Override
    public void close() {
        checkUsable();
        if (OpenGuards.count(cpu) != level + 1) {
            throw new IllegalStateException("the guard of CPU " + cpu
                    + " cannot be closed while one that was acquired after it is open: close them in reverse order");
        }
        if (hasTokens) {
            OpenGuards.endSerial(cpu, level);
        }
        OpenGuards.setCount(cpu, level);
        if (level == 0) {
            Ownership.release(cpu);
        }
        // Last, so that a close that an error broke off can be repeated.
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
