package dev.percpu.concurrent;

import dev.percpu.internal.guard.Ownership;
import dev.percpu.internal.listing.Registry;
import dev.percpu.internal.listing.Values;
import dev.percpu.internal.protocol.StackRoom;
import dev.percpu.internal.protocol.Tally;
import dev.percpu.listing.Value;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A reference count that is kept on each CPU while a resource is in use, and becomes one exact count when the resource
 * is to be released. It is the kernel's {@code percpu_ref}.
 *
 * <pre>{@code
 * PerCpuRef ref = new PerCpuRef(connection::close);
 *
 * if (ref.tryGetLive()) {            // any thread, any time
 *     try {
 *         connection.use();
 *     } finally {
 *         ref.put();
 *     }
 * }
 *
 * ref.kill();                        // once; the last put closes the connection
 * }</pre>
 *
 * <p>A ref begins with one reference, the initial one, which {@link #kill()} gives up. Until then the count cannot
 * reach zero, so no thread needs to know it: {@link #get()} and {@link #put()} each update the current CPU's count.
 * {@code kill} adds up the CPUs' counts, at the cost of a system call that interrupts the other CPUs for a moment; from
 * then on the count is one atomic number. When it reaches zero, the release action runs: once, in the thread of the
 * last {@code put}, or in that of {@code kill} if nothing is left by then, with no lock held. If it throws, that thread
 * gets the exception.
 *
 * <p><b>Ordering.</b> What is done before a {@code put} happens before the release action. What is done before {@link
 * #reinit()} or {@link #resurrect()} happens before what is done after a get that sees the ref live again.
 *
 * <p>A {@code put} may come on another CPU, and from another thread, than its {@code get}. Until the ref is killed, a
 * {@code put} without a {@code get} cannot be told from others. {@code kill} throws {@link IllegalStateException} if
 * such puts have made the count negative. Then the release action does not run, since it is not known whether the
 * resource is in use. After {@code kill}, each {@code put} that would make the count negative throws the exception too.
 *
 * <p>A ref takes 24 bytes for each CPU and for each hot thread. It gives them back once it is unreachable; that does
 * not count as the last put, so the release action does not run.
 */
public final class PerCpuRef {
    /*
     * This file is longer than others: half of it is the contract of its methods.
     *
     * The count is the tally plus `central`. While the ref is live, the tally is open most of the time, and `central`
     * holds a bias, so large that `central` alone never comes near zero. Killing closes the tally, and then takes, in
     * one atomic step, the bias and the initial reference from `central` and adds the tally's sum.
     *
     *   thread P, which has a reference             thread K
     *                                               1. kill: closes the tally, adds up P's get: 1
     *   2. put: finds the tally closed
     *   3. central - 1: the bias + 0
     *                                               4. central + 1 - bias - 1: 0, so K releases
     *
     * Without the bias, `central` would be 1 at 1, the initial reference, and 0 at 3: P would release; and then again K
     * at 4, or, if a third thread's reference is in the sum, too early. With it, only 4 or what follows 4 can find
     * zero. As every step is atomic, exactly one thread does.
     *
     * A get or a put that saw the tally open just before it closed is either in the sum or starts over and
     * counts in `central`: Tally.close() sees to that.
     *
     * The bias also tells whether the ref is live: a get that must fail once the ref is killed decides and counts in
     * one compare-and-set. Coming back to life puts bias and initial reference in, in one step too, and then opens the
     * tally; references that `central` has counted stay in it, and may be put through the tally: the next kill
     * adds up both.
     */

    /** Half of what a long holds, so that a ref is live if the central count is above half of this. */
    private static final long BIAS = 1L << 62;

    private static final long INITIAL_REFERENCE = 1;

    private static final String NOT_RELEASED = "the release action does not run";

    /**
     * How often a thread that waits for zero looks whether the count is known. A thread whose call an error has broken
     * off cannot wake it.
     */
    private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);

    static {
        // Not in the last put, which may come when the heap is full.
        StackRoom _ = StackRoom.CURRENT;
        Ownership.initialize();
    }

    private static final String NEEDS_TRY_GET = " A thread that has no reference yet must call tryGet()";

    private final String name;
    private final Tally tally;
    private final AtomicLong central = new AtomicLong(BIAS + INITIAL_REFERENCE);
    private final Runnable release;

    /**
     * Its monitor is held to close and open the tally. Not a {@code ReentrantLock}: near the end of the stack that can
     * lock and then throw, and the caller cannot tell. (The JVM has a reserve of the stack for it, but the reserve can
     * end too.)
     */
    private final Object lifecycle = new Object();

    /** The one that the last kill ended; null before the first. Guarded by {@link #lifecycle}. */
    private @Nullable Life life;

    /**
     * A life of the ref, from the initial reference to the end of the release action. The action runs once in each
     * life. It may begin the next life, and may still run when that one ends. So a thread that waits for the end of a
     * life waits for this object. Guarded by {@link #lifecycle}.
     */
    private static final class Life {
        /** Whether a resurrection went on with it. The next kill ends it as another one. */
        private boolean resurrected;

        /** Whether its count has reached zero, and its release action is over. */
        private boolean ended;
    }

    /**
     * Creates a ref with the initial reference.
     *
     * @param release what is run, once in each life, when the count reaches zero
     * @throws dev.percpu.memory.AreaFullException if the per-CPU area is full
     */
    public PerCpuRef(Runnable release) {
        this(new Label("a PerCpuRef"), release);
    }

    /**
     * Creates a ref with the initial reference and a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @param release what is run, once in each life, when the count reaches zero
     * @throws dev.percpu.memory.AreaFullException if the per-CPU area is full
     */
    public PerCpuRef(String name, Runnable release) {
        this(Label.named(name), release);
        Registry.add(name, "PerCpuRef", this, PerCpuRef::values);
    }

    private PerCpuRef(Label label, Runnable release) {
        this.name = label.text();
        this.release = Objects.requireNonNull(release, "release");
        this.tally = Tally.opened(name);
    }

    /**
     * Takes a reference; the caller must have one, or otherwise know that the count is not zero.
     *
     * @throws IllegalStateException if it is found to be zero
     */
    public void get() {
        if (!tryGet()) {
            throw new IllegalStateException(this + ": get() after the count has reached zero." + NEEDS_TRY_GET);
        }
    }

    /**
     * Takes several references, as fast as one. Otherwise it does what {@link #get()} does.
     *
     * @throws IllegalArgumentException if the number is not positive
     * @throws IllegalStateException if the count is found to be zero
     */
    public void get(int references) {
        checkPositive(references);
        boolean counted = tally.add(references) || addCentrally(references, 1);
        VarHandle.acquireFence();
        if (!counted) {
            throw new IllegalStateException(
                    this + ": get(" + references + ") after the count has reached zero." + NEEDS_TRY_GET);
        }
    }

    /**
     * Takes a reference unless the count has reached zero. It succeeds on a killed ref that is still in use.
     *
     * @return whether it did
     */
    public boolean tryGet() {
        boolean counted = tally.add(1) || addCentrally(1, 1);
        VarHandle.acquireFence();
        return counted;
    }

    /**
     * Takes a reference unless the ref is killed. A call that runs at the same time as {@link #kill()} may succeed or
     * fail. A call that starts after {@code kill} has returned fails.
     *
     * @return whether it did
     */
    public boolean tryGetLive() {
        boolean counted = tally.add(1) || addCentrally(1, BIAS / 2);
        VarHandle.acquireFence();
        return counted;
    }

    /** Adds to the central count if that is {@code least} or more. */
    private boolean addCentrally(int references, long least) {
        long count = central.get();
        while (count >= least) {
            long found = central.compareAndExchange(count, count + references);
            if (found == count) {
                return true;
            }
            count = found;
        }
        return false;
    }

    /**
     * Gives a reference back, and runs the release action if it was the last one.
     *
     * @throws IllegalStateException if the ref is killed and there was no reference to give back; or if it was the last
     *     one as far as is known, but nobody can say how many there are, as {@link #kill()} says. Then it is not given
     *     back, and the ref is never released
     */
    public void put() {
        // All that was done with the reference stays before the count.
        VarHandle.releaseFence();
        if (!tally.add(-1)) {
            putCentrally(1);
        }
    }

    /**
     * Gives several references back, as fast as one, and runs the release action if they were the last ones.
     *
     * @throws IllegalArgumentException if the number is not positive
     * @throws IllegalStateException if the ref is killed and has fewer references, or as {@link #put()} says; then none
     *     is given back
     */
    public void put(int references) {
        checkPositive(references);
        VarHandle.releaseFence();
        if (!tally.add(-references)) {
            putCentrally(references);
        }
    }

    private void checkPositive(int references) {
        if (references <= 0) {
            throw new IllegalArgumentException(
                    this + ": the number of references must be at least 1, not " + references);
        }
    }

    private void putCentrally(int references) {
        long count = central.get();
        while (true) {
            if (count < 0) {
                throw morePuts(-count);
            }
            if (count < references) {
                throw new IllegalStateException(this
                        + (count == 0
                                ? ": put(" + references + "), but no reference is left. The release action does not run"
                                        + " again"
                                : ": put(" + references + "), but the count is only " + count
                                        + ". None is given back"));
            }
            if (count == references) {
                checkKnown(NOT_RELEASED);
                // Here, since the release action is due after the next step, and nobody could call it again.
                StackRoom.CURRENT.ensure();
            }
            long found = central.compareAndExchange(count, count - references);
            if (found == count) {
                break;
            }
            count = found;
        }
        if (count == references) {
            Life ending;
            // Before the release action, which may begin another life.
            synchronized (lifecycle) {
                ending = Objects.requireNonNull(life);
            }
            releaseAndTell(ending);
        }
    }

    private void releaseAndTell(Life ending) {
        try {
            release.run();
        } finally {
            synchronized (lifecycle) {
                ending.ended = true;
                lifecycle.notifyAll();
            }
        }
    }

    /**
     * Gives up the initial reference: {@link #tryGetLive()} fails from now on, and the last {@link #put()} runs the
     * release action. This call runs it if no reference is left.
     *
     * @return false if the ref is killed already, and nothing was done
     * @throws IllegalStateException if there were more puts than gets; the ref is killed and never released. Or if an
     *     error interrupted a get or a put while another thread killed the ref, so that nobody knows the count; then
     *     the ref is as before, or if that was found late, killed and never released
     */
    public boolean kill() {
        Life next = new Life();
        return endLife(next) == next;
    }

    /**
     * Kills the ref unless it is killed already.
     *
     * @param ending stands for the life that this ends, if it does
     * @return the life that it ended, or that was ended before. It is read together with the kill: a resurrection may
     *     follow at once
     */
    private Life endLife(Life ending) {
        long left;
        // Once the ref is killed, nobody could call the release action again. (In compiled code, closing the tally may
        // take less of the stack than calling the action.)
        StackRoom.CURRENT.ensure();
        synchronized (lifecycle) {
            if (isKilled()) {
                return Objects.requireNonNull(life);
            }
            checkKnown("the ref cannot be killed");
            long sum = tally.close();
            left = central.addAndGet(sum - BIAS - INITIAL_REFERENCE);
            life = ending;
        }
        if (left <= 0) {
            // A put may have been broken off since the look above, and repeated.
            checkKnown(NOT_RELEASED);
        }
        if (left < 0) {
            throw morePuts(-left);
        }
        if (left == 0) {
            releaseAndTell(ending);
        }
        return ending;
    }

    private IllegalStateException morePuts(long more) {
        return new IllegalStateException(
                this + ": the puts outnumber the gets by " + more + ", so the release action does not run");
    }

    /**
     * Kills the ref, unless it is killed already, and waits until the last reference is given back and the release
     * action is over. A thread that has a reference must not call this, nor must the release action: they would wait
     * for themselves.
     *
     * @param timeout the longest time to wait; if it is not positive, the method does not wait
     * @return false if time ran out, or somebody resurrected the ref meanwhile; a ref whose time ran out stays killed
     * @throws InterruptedException if the thread is interrupted and would have to wait; the ref stays killed
     * @throws IllegalStateException if there were more puts than gets, or nobody can say how many references there are,
     *     as {@link #kill()} says; or if the thread would have to wait, and holds a {@link dev.percpu.CpuGuard}. Only
     *     a ref that {@code kill} leaves as before can be live then
     */
    public boolean killAndAwait(long timeout, TimeUnit unit) throws InterruptedException {
        long start = System.nanoTime();
        long most = Math.max(0, unit.toNanos(timeout));
        Life waitedFor = endLife(new Life());
        synchronized (lifecycle) {
            while (!waitedFor.ended) {
                long count = central.get();
                if (count < 0 && waitedFor == life) {
                    // Another thread's kill has found that. The count never reaches zero.
                    throw morePuts(-count);
                }
                if (waitedFor.resurrected) {
                    return false;
                }
                checkKnown("it may never reach zero");
                long left = most - (System.nanoTime() - start);
                if (left <= 0) {
                    return false;
                }
                Ownership.refuseToWait("the last reference of ", name);
                TimeUnit.NANOSECONDS.timedWait(lifecycle, Math.min(left, LOOK_NANOS));
            }
            return true;
        }
    }

    private void checkKnown(String otherwise) {
        if (!tally.isKnown()) {
            throw new IllegalStateException(this + ": an error interrupted a thread that took or gave back a reference,"
                    + " so nobody can say how many there are, and " + otherwise);
        }
    }

    /**
     * Makes a ref whose count has reached zero live again, with the initial reference. The release action may call
     * this, or a thread that knows that the action has run.
     *
     * @throws IllegalStateException if the count is not zero; {@link #resurrect()} is for a ref that is still in use
     */
    public void reinit() {
        // The first step makes the ref live, so the others must not overflow the stack.
        StackRoom.CURRENT.ensure();
        synchronized (lifecycle) {
            if (!central.compareAndSet(0, BIAS + INITIAL_REFERENCE)) {
                throw new IllegalStateException(this + ": reinit() before the count has reached zero. Call it when the"
                        + " release action has run, or resurrect() while references are left");
            }
            tally.open();
        }
    }

    /**
     * Undoes {@link #kill()} if the count has not reached zero yet.
     *
     * @return false if it has, so that the release action has run or is about to; or if it is below zero
     * @throws IllegalStateException if the ref is not killed
     */
    public boolean resurrect() {
        // As in reinit.
        StackRoom.CURRENT.ensure();
        synchronized (lifecycle) {
            if (!isKilled()) {
                throw new IllegalStateException(
                        this + ": resurrect() without a kill(). It undoes kill(), so call that first");
            }
            Life going = Objects.requireNonNull(life);
            long count = central.get();
            while (count > 0) {
                long found = central.compareAndExchange(count, count + BIAS + INITIAL_REFERENCE);
                if (found == count) {
                    // First what others wait for. A tally that an error keeps from being opened is only slow.
                    going.resurrected = true;
                    try {
                        tally.open();
                    } finally {
                        lifecycle.notifyAll();
                    }
                    return true;
                }
                count = found;
            }
            return false;
        }
    }

    /** Whether {@link #kill()} has taken effect, and neither {@link #reinit()} nor {@link #resurrect()} since. */
    public boolean isKilled() {
        return central.get() < BIAS / 2;
    }

    /** Whether the count has reached zero, and the ref was not reinitialized since. */
    public boolean isZero() {
        return central.get() == 0;
    }

    /** For a listing. The count is known only once the ref is killed. */
    private List<Value> values() {
        long count = central.get();
        return count < BIAS / 2
                ? List.of(Values.of("live", 0), Values.of("count", count))
                : List.of(Values.of("live", 1));
    }

    @Override
    public String toString() {
        long count = central.get();
        return name + (count < BIAS / 2 ? " (killed, count " + count + ")" : " (live)");
    }
}
