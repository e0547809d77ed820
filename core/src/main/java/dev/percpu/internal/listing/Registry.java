package dev.percpu.internal.listing;

import dev.percpu.internal.jfr.Recording;
import dev.percpu.listing.Value;
import dev.percpu.listing.Variable;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The variables and structures that have a name, for listings. Static ones are kept forever, since they live as long as
 * the process. All others are held weakly: a user that drops one does not have to unregister it.
 */
public final class Registry {
    /** A plain list, since there can be very many, and each takes heap until the process ends. */
    private static final List<Variable> STATIC = new ArrayList<>();

    private static final Chain DYNAMIC = new Chain();

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

        /** Whether this is the entry of an object that can go away; or, for null, of one that is gone. */
        @SuppressWarnings("unchecked") // an object of another type is only compared
        boolean isOf(@Nullable Object other) {
            return ((WeakReference<Object>) object).refersTo(other);
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
        Link link = new Link(new Entry<T>(name, type, new WeakReference<>(object), reader));
        synchronized (DYNAMIC) {
            DYNAMIC.add(link);
        }
    }

    /** Adds an object that can go away, and of which nothing can be read. */
    public static void add(String name, String type, Object object) {
        add(name, type, object, Reader.NONE);
    }

    /** Removes an object that was closed. */
    public static void remove(Object object) {
        synchronized (DYNAMIC) {
            DYNAMIC.sweep(object);
        }
    }

    /** All objects that are alive: first the static ones, then the others, both in the order they were made in. */
    public static List<Variable> list() {
        List<Variable> list;
        synchronized (STATIC) {
            list = new ArrayList<>(STATIC);
        }
        synchronized (DYNAMIC) {
            DYNAMIC.addTo(list);
        }
        return list;
    }

    /** What a link of the chain may follow. */
    private static class Node {
        @Nullable
        Link next;
    }

    private static final class Link extends Node {
        private final Entry<?> entry;

        private Link(Entry<?> entry) {
            this.entry = entry;
        }
    }

    /**
     * Objects that can go away, in the order they were made in. A link leaves the chain by one store. A collection of
     * the JDK's takes several steps and makes calls between them. If a caller's stack ended at such a call, the
     * collection would contradict itself from then on, and no listing could be read any more.
     */
    private static final class Chain {
        private static final int FIRST_ROUND = 16;

        private final Node start = new Node();

        private Node last = start;

        /** How many objects may still be added before those that are gone are looked for. */
        private int untilNextRound = FIRST_ROUND;

        void add(Link link) {
            if (untilNextRound == 0) {
                sweep(null);
            }
            untilNextRound--;
            last.next = link;
            last = link;
        }

        /**
         * Removes an object, and all that are gone.
         *
         * @param closed null for none but those
         */
        void sweep(@Nullable Object closed) {
            Node before = start;
            int kept = 0;
            for (Link link = before.next; link != null; link = link.next) {
                if (link.entry.isOf(closed) || link.entry.isOf(null)) {
                    before.next = link.next;
                } else {
                    before = link;
                    kept++;
                }
            }
            // If the last link was removed, nothing that could fail happened since.
            last = before;
            // So a chain of many objects is not walked for each new one, and at most doubles before the next walk.
            untilNextRound = Math.max(kept, FIRST_ROUND);
        }

        void addTo(List<Variable> list) {
            sweep(null);
            for (Link link = start.next; link != null; link = link.next) {
                list.add(link.entry);
            }
        }
    }
}
