package dev.percpu.internal.guard;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.failure.Log;
import dev.percpu.internal.failure.Reporter;
import dev.percpu.internal.jfr.Recording;
import java.util.concurrent.TimeUnit;

/**
 * Reports guards, locks and pools that are not as they should be. The {@link Reporter} does the logging. None of these
 * methods throws, not even an error, but for those that only describe: the caller's own work matters more than the
 * report. Each has its own catch clause: if one method took a function, creating that could fail.
 *
 * <p>A report that waits refers to threads by their ids. A logger that never returns would otherwise keep all that they
 * refer to.
 */
public final class Reports {
    /** If a thread waits this long for one owner, it is reported. */
    public static final long LONG_NANOS = TimeUnit.SECONDS.toNanos(2);

    /** It is reported again after this time, if the owner is still the same. */
    public static final long REPEAT_NANOS = TimeUnit.MINUTES.toNanos(1);

    /** The last owner of each CPU that was reported, and when. */
    private static final long[] REPORTED = new long[Area.CPUS];

    private static final long[] REPORTED_AT = new long[Area.CPUS];

    private Reports() {}

    /*
     * The reports are classes and not lambdas. If the heap is full when the JVM links a lambda, it may never try again:
     * no later report from there could be made.
     */

    /** A report that only the log gets. */
    private static final class Warning implements Runnable {
        private final String message;
        private final Object[] parameters;

        private Warning(String message, Object... parameters) {
            this.message = message;
            this.parameters = parameters;
        }

        @Override
        public void run() {
            Log.warn(message, parameters);
        }
    }

    /** See {@link #longHeld}. */
    private record LongHeld(int cpu, long owner, String who, long nanos, int waiters) implements Runnable {
        @Override
        public void run() {
            Recording.guardHeldLong(cpu, Owners.find(owner), who, nanos, waiters);
            Log.warn(
                    "guard of CPU {0} held for over {1} s by {2}; {3} waiting for it; a thread must not block while"
                            + " holding a guard",
                    cpu, TimeUnit.NANOSECONDS.toSeconds(nanos), who, waiters);
        }
    }

    /** See {@link #takenOver}. */
    private record TakenOver(int cpu, long owner, String who) implements Runnable {
        @Override
        public void run() {
            Recording.guardTakenOver(cpu, Owners.find(owner), who);
            Log.warn(
                    "the guard of CPU {0} was never closed by {1}, which has ended; it is taken over, and what the"
                            + " thread was changing may be half done",
                    cpu, who);
        }
    }

    /** Prepares for reports. To be called by a thread that has waited for some time, and may soon have to report it. */
    public static void prepare() {
        try {
            Reporter.prepare();
        } catch (Throwable t) {
            // The report is tried all the same.
        }
    }

    /** Describes a thread for messages. Calls no method that a subclass could have overridden. */
    public static String describe(Thread thread) {
        return Owners.describe(thread.threadId(), thread);
    }

    /** Describes the owner that a CPU's guard has now, for messages. */
    public static String describeOwner(int cpu) {
        long owner = Ownership.owner(cpu);
        return owner == Recovery.FREE ? "another thread" : Ownership.describe(owner);
    }

    /**
     * Reports that the current thread has waited for a long time. The caller sees to it that not each of many threads
     * that wait is reported.
     *
     * @param nanos how long it has waited
     * @param what what it waits for, after "for"
     * @param reason why it waits, and what may be wrong
     */
    public static void longWait(long nanos, String what, String reason) {
        try {
            String who = describe(Thread.currentThread());
            Reporter.queue(new Warning(
                    "{0} has waited over {1} s for {2}: {3}",
                    who, TimeUnit.NANOSECONDS.toSeconds(nanos), what, reason));
        } catch (Throwable t) {
            lost();
        }
    }

    /**
     * Says in the event of the current thread's wait for a guard which owner it waits for. This is normal, so the log
     * does not get it.
     */
    static void contended(Recording.RecordedWait event, int cpu, long owner) {
        try {
            Recording.guardContended(event, cpu, Owners.find(owner), Ownership.describe(owner));
        } catch (Throwable t) {
            lost();
        }
    }

    /**
     * Reports that one owner has held a guard for a long time, and others wait. Each waiter calls this, and one report
     * is made.
     */
    static void longHeld(int cpu, long owner, long nanos, int waiters) {
        try {
            if (!isNews(cpu, owner)) {
                return;
            }
            Reporter.queue(new LongHeld(cpu, owner, Ownership.describe(owner), nanos, waiters));
        } catch (Throwable t) {
            lost();
        }
    }

    /** Reports that the CPU of an owner that has ended was freed. */
    static void takenOver(int cpu, long owner) {
        try {
            Reporter.queue(new TakenOver(cpu, owner, Ownership.describe(owner)));
        } catch (Throwable t) {
            lost();
        }
    }

    /** Reports that a CPU was freed which a living thread owned without an open guard. */
    static void leftBehind(int cpu, long owner) {
        try {
            Reporter.queue(new Warning(
                    "the guard of CPU {0} was left behind by {1} when an error broke off acquire or close; it is free"
                            + " again",
                    cpu, Ownership.describe(owner)));
        } catch (Throwable t) {
            lost();
        }
    }

    /** Reports an error after which a background thread continues. */
    static void failed(String what, Throwable thrown) {
        try {
            // The exception's message and cause may be the user's code.
            String kind = thrown.getClass().getName();
            Reporter.queue(new Warning("{0} failed with {1}, and goes on", what, kind));
        } catch (Throwable t) {
            lost();
        }
    }

    /** Counts a report that could not be made. If even that fails, at the end of the stack, the count is too low. */
    public static void lost() {
        try {
            Reporter.countLost();
        } catch (Throwable t) {
            // There is nothing left that could be done about it.
        }
    }

    private static synchronized boolean isNews(int cpu, long owner) {
        long now = System.nanoTime();
        if (REPORTED[cpu] == owner && now - REPORTED_AT[cpu] < REPEAT_NANOS) {
            return false;
        }
        REPORTED[cpu] = owner;
        REPORTED_AT[cpu] = now;
        return true;
    }
}
