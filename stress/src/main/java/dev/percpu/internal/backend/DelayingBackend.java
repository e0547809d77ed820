package dev.percpu.internal.backend;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.code.Instrumentation;
import dev.percpu.internal.code.Op;
import dev.percpu.internal.linux.RseqRegistration;
import dev.percpu.memory.NumericWidth;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * A back end with delays. Most calls go to the back end as users have it, and some to a second build of the same
 * sequences that has a delay between any two steps and counts its aborts; both work on the same memory. And before and
 * after some of the calls the thread dawdles, since what the structures do in Java happens between their calls.
 *
 * <p>It is a record for the same reason as {@link RseqBackend}: the compiler trusts its fields.
 *
 * @param normal as users have it
 * @param delayed with delays inside; the same as {@code normal} where there are no sequences to delay
 */
public record DelayingBackend(Backend normal, Backend delayed, LongAdder contentions) implements Backend {
    /** One in so many calls is delayed inside; so most of the time, and not most of the calls, is. A power of two. */
    private static final int DELAYED = 16;

    /** One in so many calls has a pause before it, and as many have one after it. A power of two. */
    private static final int PAUSES = 512;

    /**
     * More often before a push: between a pool's look whether somebody seeks and its push lies what the second look is
     * for, and few pushes come just when somebody does. A power of two.
     */
    private static final int PAUSES_BEFORE_PUSH = 32;

    /** Of the pauses, how many in 64 give the CPU up, and how many park. The others spin. */
    private static final int YIELDS = 8;

    private static final int PARKS = 1;

    private static final int LONGEST_SPIN = 512;
    private static final int LONGEST_PARK_NANOS = 100_000;

    private static volatile long aborts;

    /**
     * Puts delays around the back end that is about to be chosen. To be called before the first per-CPU variable is.
     *
     * @param rounds how long the delay between two steps is, in rounds of an empty loop
     */
    public static void install(int rounds) {
        Interposition.install(backend -> {
            if (!(backend instanceof RseqBackend)) {
                return new DelayingBackend(backend, backend, new LongAdder());
            }
            // In the place of no CPU, and never given back.
            aborts = Area.offset(Area.CPUS, Area.allocate(Long.BYTES, Long.BYTES, "count of aborts"));
            Backend delayed =
                    RseqBackend.create(RseqRegistration.read(), new Instrumentation(rounds, Area.BASE + aborts));
            return new DelayingBackend(backend, delayed, new LongAdder());
        });
    }

    /** The one that is installed. */
    public static DelayingBackend installed() {
        return (DelayingBackend) Backends.current();
    }

    /** How often the kernel aborted a delayed sequence. Those of the normal ones nobody counts. */
    public static long aborts() {
        return aborts == 0 ? 0 : (long) Area.LONG.getVolatile(Area.MEMORY, aborts);
    }

    private Backend pick() {
        return pick(PAUSES);
    }

    private Backend pick(int pauses) {
        int dice = ThreadLocalRandom.current().nextInt();
        if ((dice & (pauses - 1)) == 0) {
            pause(dice >>> 9);
        }
        return (dice >>> 16 & (DELAYED - 1)) == 0 ? delayed : normal;
    }

    private static void pauseNowAndThen() {
        int dice = ThreadLocalRandom.current().nextInt();
        if ((dice & (PAUSES - 1)) == 0) {
            pause(dice >>> 9);
        }
    }

    @SuppressWarnings("ThreadPriorityCheck") // so that others come in between
    private static void pause(int dice) {
        int kind = dice & 63;
        int length = dice >>> 6;
        if (kind < PARKS) {
            LockSupport.parkNanos(1 + length % LONGEST_PARK_NANOS);
        } else if (kind < PARKS + YIELDS) {
            Thread.yield();
        } else {
            for (int spin = length % LONGEST_SPIN; spin > 0; spin--) {
                Thread.onSpinWait();
            }
        }
    }

    @Override
    public String name() {
        return normal.name();
    }

    @Override
    public int currentCpu() {
        return normal.currentCpu();
    }

    @Override
    public long update(Op op, NumericWidth width, long position, long operand, long expected) {
        long result = pick().update(op, width, position, operand, expected);
        pauseNowAndThen();
        return result;
    }

    @Override
    public boolean updateUnlessGuarded(Op op, NumericWidth width, long position, long operand) {
        boolean done = pick().updateUnlessGuarded(op, width, position, operand);
        pauseNowAndThen();
        return done;
    }

    @Override
    public void addTwo(long position, long delta, long secondPosition, long secondDelta) {
        pick().addTwo(position, delta, secondPosition, secondDelta);
        pauseNowAndThen();
    }

    @Override
    public boolean addIfOpen(long position, long delta, long gate) {
        boolean done = pick().addIfOpen(position, delta, gate);
        pauseNowAndThen();
        return done;
    }

    @Override
    public long close(long position, long gate) {
        long sum = pick().close(position, gate);
        pauseNowAndThen();
        return sum;
    }

    @Override
    public void open(long position, long gate) {
        pick().open(position, gate);
        pauseNowAndThen();
    }

    @Override
    public boolean addDoubleIfOpen(long position, long operand) {
        boolean done = pick().addDoubleIfOpen(position, operand);
        pauseNowAndThen();
        return done;
    }

    @Override
    public boolean compareAndSetIfOpen(long position, long expected, long value) {
        boolean done = pick().compareAndSetIfOpen(position, expected, value);
        pauseNowAndThen();
        return done;
    }

    @Override
    public void shut(long position) {
        pick().shut(position);
        pauseNowAndThen();
    }

    @Override
    public long exchange(int cpu, long position, long value) {
        long before = pick().exchange(cpu, position, value);
        pauseNowAndThen();
        return before;
    }

    @Override
    public boolean addCredit(long position, long delta, long bound, long most) {
        boolean done = pick().addCredit(position, delta, bound, most);
        pauseNowAndThen();
        return done;
    }

    @Override
    public long credits(long position) {
        return pick().credits(position);
    }

    @Override
    public long takeCredits(long position) {
        long sum = pick().takeCredits(position);
        pauseNowAndThen();
        return sum;
    }

    @Override
    public boolean push(long position, long item, long capacity) {
        boolean done = pick(PAUSES_BEFORE_PUSH).push(position, item, capacity);
        pauseNowAndThen();
        return done;
    }

    @Override
    public long pop(long position) {
        long item = pick().pop(position);
        pauseNowAndThen();
        return item;
    }

    @Override
    public long popFrom(int cpu, long position) {
        long item = pick().popFrom(cpu, position);
        pauseNowAndThen();
        return item;
    }

    @Override
    public void lightFence() {
        pick().lightFence();
        pauseNowAndThen();
    }

    @Override
    public void heavyFence() {
        pick().heavyFence();
        pauseNowAndThen();
    }

    @Override
    public int tryAcquire(long owner) {
        int outcome = pick().tryAcquire(owner);
        if (outcome < 0) {
            contentions.increment();
        }
        pauseNowAndThen();
        return outcome;
    }

    @Override
    public boolean tryAcquireOn(int cpu, long owner) {
        boolean acquired = pick().tryAcquireOn(cpu, owner);
        if (!acquired) {
            contentions.increment();
        }
        pauseNowAndThen();
        return acquired;
    }
}
