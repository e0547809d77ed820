package dev.percpu.internal.listing;

import dev.percpu.internal.jfr.Recording;
import dev.percpu.listing.Value;
import dev.percpu.listing.Variable;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The variables and structures that have a name, for listings. Static ones are kept, since they live as long as the
 * process. All others are held weakly: a user that drops one does not have to unregister it.
 */
public final class Registry {
    private static final int FIRST_SWEEP = 16;

    /**
     * A plain list, since there can be very many, and each takes heap until the process ends. Its lock also guards the
     * fields below.
     */
    private static final List<Variable> STATIC = new ArrayList<>();

    /** Objects that can go away, in the order they were made in; also some that are gone. */
    private static List<Entry<?>> dynamic = new ArrayList<>();

    /**
     * How many may still be added before those that are gone are left out. So not all are looked at for each new one,
     * and the list becomes at most twice as long as what was alive the last time.
     */
    private static int untilSweep = FIRST_SWEEP;

    private static final AtomicLong SERIALS = new AtomicLong();

    /**
     * For an object of which nothing can be read. It is here, so that {@link #checkName} makes it: when the object is
     * listed, the heap may be full.
     */
    public static final Reader<Object> NOTHING = _ -> List.of();

    private static final String LEAVE_OUT = ": leave it out where it is optional";

    private Registry() {}

    /**
     * Reads an object's values, when a user asks for them. It is kept beside the object, so it must not refer to it: it
     * is a method reference such as {@code PerCpuCounter::values}.
     *
     * @param <T> the object's type
     */
    @FunctionalInterface
    public interface Reader<T> {
        /** The object's values. */
        List<Value> read(T object);
    }

    /**
     * Something that has a name.
     *
     * @param object the object, or a weak reference to it: a {@code Supplier} of either would be a second object, and
     *     take 16 bytes more for each of perhaps thousands of static counters
     */
    private record Entry<T>(long serial, String name, String type, Object object, Reader<? super T> reader)
            implements Variable {
        Entry(String name, String type, Object object, Reader<? super T> reader) {
            this(SERIALS.incrementAndGet(), name, type, object, reader);
        }

        @Override
        @SuppressWarnings("unchecked") // the methods that add an entry take a reader of the object's type
        public List<Value> values() {
            Object current = object instanceof WeakReference<?> reference ? reference.get() : object;
            return current == null ? List.of() : reader.read((T) current);
        }

        /** Whether this is the entry of an object that could go away, and has, or was closed. */
        boolean isGone() {
            return ((WeakReference<?>) object).refersTo(null);
        }

        @Override
        public String toString() {
            return name + ": " + type;
        }
    }

    /**
     * Checks a name that a user gave.
     *
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it is blank
     */
    public static String checkName(@Nullable String name) {
        if (name == null) {
            throw new NullPointerException("a name must not be null" + LEAVE_OUT);
        }
        if (name.isBlank()) {
            throw new IllegalArgumentException(
                    "a name must not be blank, but this one is \"" + name + "\"" + LEAVE_OUT);
        }
        return name;
    }

    /** Adds an object that lives as long as the process. */
    public static <T> void addStatic(String name, String type, T object, Reader<? super T> reader) {
        Recording.listing(Registry::list);
        synchronized (STATIC) {
            STATIC.add(new Entry<T>(name, type, object, reader));
        }
    }

    /** Adds an object that can go away, but not be closed. It must be completely constructed. */
    public static <T> void add(String name, String type, T object, Reader<? super T> reader) {
        Reference<?> _ = addClosable(name, type, object, reader);
    }

    /**
     * Adds an object that can be closed. It must be completely constructed.
     *
     * @return what the object clears when it is closed: it is not listed from then on
     */
    public static <T> Reference<?> addClosable(String name, String type, T object, Reader<? super T> reader) {
        Recording.listing(Registry::list);
        WeakReference<T> reference = new WeakReference<>(object);
        Entry<T> entry = new Entry<>(name, type, reference, reader);
        synchronized (STATIC) {
            if (untilSweep == 0) {
                sweep();
            }
            dynamic.add(entry);
            untilSweep--;
        }
        return reference;
    }

    /** All objects that are alive: first the static ones, then the others, both in the order they were made in. */
    public static List<Variable> list() {
        synchronized (STATIC) {
            sweep();
            List<Variable> list = new ArrayList<>(STATIC);
            list.addAll(dynamic);
            return list;
        }
    }

    /**
     * Leaves out all that are gone. They go into a new list, and storing that is the last step: an error on the way,
     * such as a full heap, changes nothing. The caller has the lock.
     */
    private static void sweep() {
        List<Entry<?>> alive = new ArrayList<>();
        for (Entry<?> entry : dynamic) {
            if (!entry.isGone()) {
                alive.add(entry);
            }
        }
        untilSweep = Math.max(alive.size(), FIRST_SWEEP);
        dynamic = alive;
    }

    /** How many objects that can go away are kept, those that are gone included. */
    static int kept() {
        synchronized (STATIC) {
            return dynamic.size();
        }
    }
}
