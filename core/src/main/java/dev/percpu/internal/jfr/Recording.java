package dev.percpu.internal.jfr;

import dev.percpu.listing.Variable;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import jdk.jfr.FlightRecorder;
import org.jspecify.annotations.Nullable;

/**
 * Records events. As long as nobody has started a recording in this process, each method is one look at a flag: the
 * event classes are not even loaded, which would take a fifth of a second.
 */
public final class Recording {
    /** The flight recorder is an optional module. */
    private static final boolean POSSIBLE = isPossible();

    private static final Once PREPARED = new Once();

    private static volatile @Nullable BackEnd backEnd;
    private static volatile @Nullable Area area;
    private static volatile @Nullable Supplier<List<Variable>> listing;

    private Recording() {}

    private static boolean isPossible() {
        Optional<Module> recorder = ModuleLayer.boot().findModule("jdk.jfr");
        return recorder.isPresent() && Recording.class.getModule().canRead(recorder.get());
    }

    /** The back end that was chosen. */
    record BackEnd(String name, String reason, String selfTest) {}

    /** The event of a wait, which lasts as long as the wait. */
    public interface RecordedWait {
        /** Ends the event now, and records it if it was long enough. Only {@link #end} calls this. */
        void commit(boolean hasAcquired);
    }

    /** How to ask for the area's use. */
    record Area(LongSupplier used, long stride) {}

    /** Whether somebody has started a recording. An event may still be disabled. */
    public static boolean isOn() {
        return POSSIBLE && FlightRecorder.isInitialized();
    }

    /** Says which back end was chosen, for later recordings. */
    public static void backEnd(String name, String reason, String selfTest) {
        backEnd = new BackEnd(name, reason, selfTest);
    }

    /** Says how to ask for the area's use, for later recordings. */
    public static void area(LongSupplier used, long stride) {
        area = new Area(used, stride);
    }

    /**
     * Says that there are named variables, and has recordings show them from time to time. Not to be called while a
     * class of this library is being initialized, as the flight recorder may call back at once.
     *
     * @param all lists them
     */
    public static void listing(Supplier<List<Variable>> all) {
        if (POSSIBLE) {
            listing = all;
            try {
                PREPARED.run(PeriodicEvents::prepare);
            } catch (Throwable unprepared) {
                // Then recordings lack the named variables, which work all the same.
            }
        }
    }

    /** Says that recordings may lack something. The next named variable prepares them again. */
    static void prepareAgain() {
        PREPARED.again();
    }

    static @Nullable BackEnd backEnd() {
        return backEnd;
    }

    static @Nullable Area area() {
        return area;
    }

    static List<Variable> variables() {
        Supplier<List<Variable>> all = listing;
        return all == null ? List.of() : all.get();
    }

    /*
     * None of the following methods throws, except guardContended. The first event of a class has the flight recorder
     * register the class, deep in calls and class initializers of its own. If the stack overflows there or the heap is
     * full, the class may stay unusable. Then its events are missing, and the operation that they report goes on. Each
     * method has its own catch clause: if they shared one that takes a function, creating that function could fail. And
     * the two methods that begin an event share no method with the event as its parameter: to verify that call, the JVM
     * would load the event's class, recording or not.
     */

    /** Records that a guard was taken over from an owner that has ended. */
    public static void guardTakenOver(int cpu, @Nullable Thread deadOwner, String description) {
        try {
            if (isOn()) {
                new GuardTakenOverEvent(cpu, deadOwner, description).commit();
            }
        } catch (Throwable unrecorded) {
            // See above.
        }
    }

    /** Records that one owner has held a guard for long. */
    public static void guardHeldLong(int cpu, @Nullable Thread owner, String description, long nanos, int waiting) {
        try {
            if (isOn()) {
                new GuardHeldLongEvent(cpu, owner, description, nanos, waiting).commit();
            }
        } catch (Throwable unrecorded) {
            // See above.
        }
    }

    /** Begins to record that this thread waits for a guard; null if that is not recorded. */
    public static @Nullable RecordedWait beginGuardContended(int cpu) {
        try {
            if (isOn()) {
                GuardContendedEvent event = new GuardContendedEvent(cpu);
                if (event.isEnabled()) {
                    prepareCommit();
                    event.begin();
                    return event;
                }
            }
        } catch (Throwable unrecorded) {
            // See above.
        }
        return null;
    }

    /**
     * Says which owner of a guard the thread waits for now. Unlike the other methods it has no catch clause: to
     * describe the owner can fail too, so the caller has one for both.
     */
    public static void guardContended(RecordedWait wait, int cpu, @Nullable Thread owner, String description) {
        GuardContendedEvent event = (GuardContendedEvent) wait;
        event.cpu = cpu;
        event.owner = owner;
        event.description = description;
    }

    /** Begins to record that this thread waits for an object of a pool; null if that is not recorded. */
    public static @Nullable RecordedWait beginPoolAwaited(String pool, int capacity) {
        try {
            if (isOn()) {
                PoolAwaitedEvent event = new PoolAwaitedEvent(pool, capacity);
                if (event.isEnabled()) {
                    prepareCommit();
                    event.begin();
                    return event;
                }
            }
        } catch (Throwable unrecorded) {
            // See above.
        }
        return null;
    }

    /**
     * Loads the class that the first commit would ask the class loader for. A class loader can be the user's code. That
     * must not run when a wait has ended, as the thread may have a guard that is not counted yet. If a later JDK has no
     * such class, waits are not recorded, and {@code GuardRecordingTest} fails.
     */
    private static void prepareCommit() throws ClassNotFoundException {
        Class<?> _ = Class.forName("jdk.jfr.internal.event.EventWriter", false, Recording.class.getClassLoader());
    }

    /**
     * Records a wait that has ended just now. The thread may have what it waited for: so the caller also catches what
     * the call itself throws if the stack has no room for it.
     *
     * @param wait null if it is not recorded
     * @param hasAcquired false if the time ran out, or the wait was broken off
     */
    public static void end(@Nullable RecordedWait wait, boolean hasAcquired) {
        try {
            if (wait != null) {
                wait.commit(hasAcquired);
            }
        } catch (Throwable unrecorded) {
            // See above.
        }
    }

    /** Records that this thread finds no object of a pool that it can have at once. */
    public static void poolExhausted(String pool, int capacity) {
        try {
            if (isOn()) {
                new PoolExhaustedEvent(pool, capacity).commit();
            }
        } catch (Throwable unrecorded) {
            // See above.
        }
    }

    /** Records that this thread has waited for an object of a pool for a long time, and goes on waiting. */
    public static void poolAwaitedLong(String pool, int capacity, long held, int waiting, long nanos) {
        try {
            if (isOn()) {
                new PoolAwaitedLongEvent(pool, capacity, held, waiting, nanos).commit();
            }
        } catch (Throwable unrecorded) {
            // See above.
        }
    }

    /**
     * Records that variables fill more of the area.
     *
     * @return false if there is no recording
     */
    public static boolean areaFilling(long usedUpTo, long stride, String label) {
        try {
            if (!isOn()) {
                return false;
            }
            new AreaFillingEvent(usedUpTo, stride, label).commit();
        } catch (Throwable unrecorded) {
            // See above.
        }
        return true;
    }
}
