package dev.percpu.concurrent;

import static java.lang.Double.longBitsToDouble;

import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.internal.protocol.Events;
import dev.percpu.internal.protocol.GatedSums;
import dev.percpu.internal.protocol.OwnUpdate;
import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandles;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What an event does on a thread that has a place of its own. It updates the numbers there, with ordinary instructions.
 */
abstract class OwnEvent {
    /*
     * If the JIT compiler knows where a number lies and what is added, an addition in an own place takes three
     * instructions. With positions and kinds of updates in arrays it takes some twenty, and five of them take longer
     * than the native call. So an event's updates must be constants, also if the event itself is none. Only what is in
     * a static final field is always a constant. So each event has a class of its own, with its updates in static final
     * fields: a hidden class made from the class file of OwnEventTemplate. It is unloaded once the event is
     * unreachable. For an event that is a constant too, the compiler inlines it all (see BuiltEvent). Any other event
     * takes a virtual call.
     *
     * Each kind of update is a small class (see OwnUpdate), and only methods of the hidden class make updates. A method
     * that all events shared, with a switch or with the steps of each kind, became so much code that the compiler did
     * not inline it: then five updates took 13 to 34 ns instead of 5.
     *
     * Refused: a method handle for each event, composed of handles for its updates. It is as fast, but the first one
     * takes 95 ms, and each one a class of the JDK as well. Refused: to make the class when a hot thread first needs
     * it. BuiltEvent's field could not be final, and so would not be a constant.
     *
     * The thread stays in its own place from one update to the next, and no other thread makes updates there. So each
     * update is as exact as if it were made alone. If the stack overflows in a call that an update makes, the updates
     * before it are made. That one may not be made, as with the variables' own methods.
     */

    /** For larger events the code would become too large to be inlined. The call is not much slower for those. */
    private static final int MOST_UPDATES = 8;

    private static final int MOST_CHECKS = 4;

    /**
     * A class takes memory, and a fraction of a millisecond. So only the first events of a process have one: a
     * program that makes events all the time must not fill the JVM's memory for classes.
     */
    private static final int MOST_CLASSES = 256;

    private static final AtomicInteger CLASSES = new AtomicInteger();

    /** Read when it is first needed. If two threads read it, both get the same bytes. */
    private static volatile byte @Nullable [] template;

    /**
     * Checks all arguments and finds all buckets. So what is wrong with an argument shows before the first update. Then
     * it makes all updates.
     *
     * @param place where the thread's own place begins
     */
    abstract void update(long place, long first, long second, long third);

    /** The check that an argument is an index of an array, whose length is a constant here. */
    record IndexCheck(int index, PerCpuCounterArray array, long length) implements OwnUpdate {
        @Override
        public void make(long place, long first, long second, long third, long a, long b, long c, long d) {
            long element = OwnUpdate.choose(index, first, second, third);
            if (Long.compareUnsigned(element, length) >= 0) {
                // The array's own message says which array.
                int _ = array.checkIndex(element);
            }
        }
    }

    /**
     * The addition of a {@code double} argument, or of the constant if there is none: the counter's own method knows
     * about its gate.
     */
    record DoubleAddition(PerCpuDoubleCounter counter, int argument, double constant) implements OwnUpdate {
        @Override
        public void make(long place, long first, long second, long third, long a, long b, long c, long d) {
            counter.add(
                    argument == Events.NONE
                            ? constant
                            : longBitsToDouble(OwnUpdate.choose(argument, first, second, third)));
        }
    }

    /** What an event is made of, for its class. It is read while that is initialized, and not later. */
    static final class Parts {
        private final List<OwnUpdate> checks;
        private final List<BuiltEvent.Index> buckets;
        private final List<OwnUpdate> updates;
        private @Nullable OwnEvent made;

        /**
         * @param checks of the arguments that are indexes
         * @param buckets which say in what bucket a histogram counts an argument
         * @param updates in the order of the builder
         */
        Parts(List<OwnUpdate> checks, List<BuiltEvent.Index> buckets, List<OwnUpdate> updates) {
            // The builder may go on with its lists, and the event's class keeps these.
            this.checks = List.copyOf(checks);
            this.buckets = List.copyOf(buckets);
            this.updates = List.copyOf(updates);
        }

        @Nullable
        OwnUpdate check(int number) {
            return at(checks, number);
        }

        BuiltEvent.@Nullable Index bucket(int number) {
            return at(buckets, number);
        }

        @Nullable
        OwnUpdate update(int number) {
            return at(updates, number);
        }

        private static <T> @Nullable T at(List<T> list, int index) {
            return index < list.size() ? list.get(index) : null;
        }

        /**
         * The class calls this with its only object. If this class created it by reflection, the JDK would
         * take milliseconds.
         */
        void made(OwnEvent event) {
            made = event;
        }

        private boolean fit() {
            return checks.size() <= MOST_CHECKS && updates.size() <= MOST_UPDATES && canAddDoubles();
        }

        /** Without own places for doubles, each would take a native call. */
        private boolean canAddDoubles() {
            for (OwnUpdate update : updates) {
                if (update instanceof DoubleAddition && !GatedSums.IN_OWN_PLACES) {
                    return false;
                }
            }
            return true;
        }
    }

    /** Returns null if the event makes its call on each thread. */
    static @Nullable OwnEvent of(Parts parts) {
        if (OwnPlaces.COUNT == 0 || !parts.fit() || CLASSES.get() >= MOST_CLASSES) {
            return null;
        }
        byte[] file = template();
        if (file == null || CLASSES.getAndIncrement() >= MOST_CLASSES) {
            return null;
        }
        try {
            MethodHandles.Lookup _ = MethodHandles.lookup().defineHiddenClassWithClassData(file, parts, true);
        } catch (IllegalAccessException e) {
            throw new AssertionError("a class of this package", e);
        } finally {
            if (parts.made == null) {
                int _ = CLASSES.decrementAndGet();
            }
        }
        return Objects.requireNonNull(parts.made);
    }

    /** Null if it cannot be read: a tool may have left class files out as resources, or changed the jar since. */
    private static byte @Nullable [] template() {
        byte[] read = template;
        if (read == null) {
            try (InputStream file = OwnEvent.class.getResourceAsStream("OwnEventTemplate.class")) {
                read = file == null ? null : file.readAllBytes();
            } catch (IOException unreadable) {
                read = null;
            }
            template = read;
        }
        return read;
    }
}
