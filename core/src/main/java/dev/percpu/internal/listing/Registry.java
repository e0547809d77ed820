package dev.percpu.internal.listing;

import dev.percpu.internal.jfr.Recording;
import dev.percpu.listing.Value;
import dev.percpu.listing.Variable;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The variables and structures that have a name, for listings. Static ones are kept forever, since they live as long as
 * the process. All others are held weakly: a user that drops one does not have to unregister it.
 */
public final class Registry {
    /** A plain list, since there can be very many, and each takes heap until the process ends. */
    private static final List<Variable> STATIC = new ArrayList<>();

    /** By the references to the objects. */
    private static final Map<WeakReference<?>, Variable> DYNAMIC = new LinkedHashMap<>();

    private static final ReferenceQueue<Object> GONE = new ReferenceQueue<>();

    private Registry() {}

    /** Forces this class to initialize when something is made, so that its later removal from here cannot fail. */
    public static void initialize() {
        // Calling this is enough.
    }

    /**
     * Reads an object's values, when a user asks for them. It is kept beside the object, so it must not refer to it: it
     * is a method reference such as {@code PerCpuCounter::values}.
     *
     * @param <T> the object's type
     */
    @FunctionalInterface
    public interface Reader<T> {
        /** For an object of which nothing can be read. */
        Reader<Object> NONE = _ -> List.of();

        /** The object's values. */
        List<Value> read(T object);
    }

    /**
     * Something that has a name.
     *
     * @param object the object, or a weak reference to it: a {@code Supplier} of either would be a second object, and
     *     take 16 bytes more for each of perhaps thousands of static counters
     */
    private record Entry<T>(String name, String type, Object object, Reader<? super T> reader) implements Variable {
        @Override
        @SuppressWarnings("unchecked") // the methods that add an entry take a reader of the object's type
        public List<Value> values() {
            Object current = object instanceof WeakReference<?> reference ? reference.get() : object;
            return current == null ? List.of() : reader.read((T) current);
        }

        @Override
        public String toString() {
            return name + ": " + type;
        }
    }

    /**
     * Checks a name that a user gave.
     *
     * @throws IllegalArgumentException if it is null or blank
     */
    public static String checkName(@Nullable String name) {
        if (name == null || name.isBlank()) {
            throw new IllegalArgumentException("a name must not be " + (name == null ? "null" : "blank")
                    + "; for something without a name, do not pass one");
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

    /** Adds an object that can go away. It must be completely constructed. */
    public static <T> void add(String name, String type, T object, Reader<? super T> reader) {
        Recording.listing(Registry::list);
        WeakReference<T> reference = new WeakReference<>(object, GONE);
        synchronized (DYNAMIC) {
            removeGone();
            DYNAMIC.put(reference, new Entry<T>(name, type, reference, reader));
        }
    }

    /** Adds an object that can go away, and of which nothing can be read. */
    public static void add(String name, String type, Object object) {
        add(name, type, object, Reader.NONE);
    }

    /** Removes an object that was closed. */
    public static void remove(Object object) {
        synchronized (DYNAMIC) {
            removeGone();
            // No lambda: if the heap is full when the first close links it, no later close could succeed either.
            for (Iterator<WeakReference<?>> all = DYNAMIC.keySet().iterator(); all.hasNext(); ) {
                if (refersTo(all.next(), object)) {
                    all.remove();
                }
            }
        }
    }

    @SuppressWarnings("unchecked") // an object of another type is only compared
    private static boolean refersTo(Reference<?> reference, Object object) {
        return ((Reference<Object>) reference).refersTo(object);
    }

    /** All objects that are alive: first the static ones, then the others, both in the order they were made in. */
    public static List<Variable> list() {
        List<Variable> list;
        synchronized (STATIC) {
            list = new ArrayList<>(STATIC);
        }
        synchronized (DYNAMIC) {
            removeGone();
            list.addAll(DYNAMIC.values());
        }
        return list;
    }

    private static void removeGone() {
        for (Reference<?> gone; (gone = GONE.poll()) != null; ) {
            DYNAMIC.remove(gone);
        }
    }
}
