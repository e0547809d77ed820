package dev.percpu.internal.backend;

import dev.percpu.internal.code.Op;
import dev.percpu.memory.NumericWidth;

/** How the current CPU's instances are updated. A position is a variable's place in the per-CPU area. */
public interface Backend {
    /** What {@link #tryAcquire} returns on a thread of which the kernel does not tell the CPU. */
    int NO_CPU = Integer.MIN_VALUE;

    String name();

    /** The CPU that the thread runs on, from 0 to the area's number of CPUs exclusive; a hint. */
    int currentCpu();

    /**
     * Does the operation on the current CPU's instance of a number that no guard protects, in one step that no other
     * operation on it can come into the middle of. Never waits.
     *
     * @return the new value of {@link Op#ADD}, {@link Op#ADD_DOUBLE}, {@link Op#AND} and {@link Op#OR}, else the old;
     *     only the bits of the width count
     */
    long update(Op op, NumericWidth width, long position, long operand, long expected);

    /**
     * Does the operation on the current CPU's instance of a number that the guard protects, unless the CPU's guard is
     * taken.
     *
     * @return false if nothing was done; then it has to be done with the guard held
     */
    boolean updateUnlessGuarded(Op op, NumericWidth width, long position, long operand);

    /** Adds to the current CPU's instances of two {@code long} numbers, one after the other, in one call. */
    void addTwo(long position, long delta, long secondPosition, long secondDelta);

    /**
     * Adds to the current CPU's instance of a tally, a {@code long} that begins as 0, unless the tally is closed.
     *
     * @param gate the offset in the area of a word that nobody else uses, and that begins as 0
     * @return false if nothing was done
     */
    boolean addIfOpen(long position, long delta, long gate);

    /**
     * Closes a tally: when it returns, no addition succeeds any more, and every one that did is in the result. One
     * thread at a time may close and open.
     *
     * @return the sum over all instances, which are 0 then
     */
    long close(long position, long gate);

    /** Opens a tally that is closed. */
    void open(long position, long gate);

    /**
     * Adds to the current CPU's instance of a number with a gate, both being the bits of a {@code double}, unless the
     * gate is shut. The gate is a {@code long} that begins as 0, in the place of no CPU, {@code Sequence.GATE} bytes
     * behind the number.
     *
     * @return false if nothing was done, as the gate is shut or the thread has no CPU id
     */
    boolean addDoubleIfOpen(long position, long operand);

    /**
     * Sets the current CPU's instance of a number with a gate if it is {@code expected}, unless the gate is shut.
     *
     * @return false if nothing was done; that the number differs is one reason
     */
    boolean compareAndSetIfOpen(long position, long expected, long value);

    /**
     * Shuts the gate of a number: when it returns, {@link #exchange} loses no update of any instance. One thread at
     * a time may shut the gate and open it, by storing 0.
     */
    void shut(long position);

    /** Sets a given CPU's instance of a number whose gate is shut, and returns what it was. */
    long exchange(int cpu, long position, long value);

    /**
     * Adds to the current CPU's credit, if it stays within 0 and {@code bound}, and if the gate is at most {@code most}.
     * The look at the gate and the addition are one step. A credit begins as 0, and has a gate as other numbers have.
     *
     * @param bound at most 2^31
     * @return false if nothing was done
     */
    boolean addCredit(long position, long delta, long bound, long most);

    /** The sum of all credits, of no one moment. */
    long credits(long position);

    /**
     * Shuts the gate of a credit, by the largest value there is, and takes what is in all credits. One thread at a time
     * may do so and change the gate.
     *
     * @return the sum of all credits, which are 0 until the gate is lower
     */
    long takeCredits(long position);

    /**
     * Puts an item on the current CPU's stack, unless that is full or in use by another thread.
     *
     * @param position where the stack is: a {@code long} for how many items there are, and one for each of them
     * @param item not negative
     * @return false if nothing was done
     */
    boolean push(long position, long item, long capacity);

    /**
     * Takes an item from the current CPU's stack.
     *
     * @return negative if the stack is empty or in use by another thread
     */
    long pop(long position);

    /**
     * Takes an item from a given CPU's stack; the thread must own that CPU's guard.
     *
     * @return negative if the stack is empty or in use by another thread
     */
    long popFrom(int cpu, long position);

    /**
     * Half of an asymmetric fence, the cheap one: what this thread pushed or popped before comes before what it reads
     * next, as far as a thread can tell that calls {@link #heavyFence}. Of two threads of which one pushes, fences and
     * reads a flag, and the other sets the flag, fences and reads the stack, at least one sees what the other did.
     */
    void lightFence();

    /** The other half: a full fence, on this thread and in the middle of whatever every other thread does. */
    void heavyFence();

    /**
     * Tries to make {@code owner} the owner of the current CPU's guard.
     *
     * @return the CPU if it worked, its complement ({@code ~cpu}) if the CPU's guard is taken, or {@link #NO_CPU}
     */
    int tryAcquire(long owner);

    /**
     * Tries to make {@code owner} the owner of a given CPU's guard, from any CPU.
     *
     * @return false if the guard is taken
     */
    boolean tryAcquireOn(int cpu, long owner);
}
