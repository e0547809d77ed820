package dev.percpu.internal.listing;

import dev.percpu.internal.jfr.Recording;
import dev.percpu.listing.Value;
import dev.percpu.listing.Variable;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The variables and structures that have a name, for listings. Static ones are kept forever, since they live as long as
 * the process. All others are held weakly: a user that drops one does not have to unregister it.
 */
public final class Registry {
    /** A plain list, since there can be very many, and each takes heap until the process ends. */
    private static final List<Variable> STATIC = new ArrayList<>();

    private static final Chain DYNAMIC = new Chain();

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

        /** Whether this is the entry of an object that could go away, and has. */
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
        Link _ = addClosable(name, type, object, reader);
    }

    /**
     * Adds an object that can be closed. It must be completely constructed, and keep the result, which takes it out of
     * the listing.
     */
    public static <T> Link addClosable(String name, String type, T object, Reader<? super T> reader) {
        Recording.listing(Registry::list);
        Link link = new Link(new Entry<T>(name, type, new WeakReference<>(object), reader));
        synchronized (DYNAMIC) {
            DYNAMIC.add(link);
        }
        return link;
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

    /** How many objects that can go away are kept, those that are gone included. */
    static int linked() {
        synchronized (DYNAMIC) {
            return DYNAMIC.length();
        }
    }

    /** What a link of the chain may follow. The chain's lock guards the fields. */
    static class Node {
        @Nullable
        Link next;
    }

    /** The place of an object in the listing. */
    public static final class Link extends Node {
        private final Entry<?> entry;

        /** Null if this is not in the chain, or no more. */
        private @Nullable Node before;

        private Link(Entry<?> entry) {
            this.entry = entry;
        }

        /**
         * Takes an object that is closed out of the listing. That takes as long however many others are listed. Taking
         * it out again does nothing.
         */
        public void remove() {
            synchronized (DYNAMIC) {
                DYNAMIC.remove(this);
            }
        }
    }

    /**
     * Objects that can go away, in the order they were made in. A link leaves the chain by a few stores, with no call
     * between them. A collection of the JDK's makes calls between its steps. If a caller's stack overflowed at such a
     * call, the collection would contradict itself from then on, and no listing could be read any more.
     */
    private static final class Chain {
        private static final int FIRST_ROUND = 16;

        private final Node start = new Node();

        private Node last = start;

        /** How many objects may still be added before those that are gone are looked for. */
        private int untilNextRound = FIRST_ROUND;

        void add(Link link) {
            if (untilNextRound == 0) {
                sweep();
            }
            untilNextRound--;
            link.before = last;
            last.next = link;
            last = link;
        }

        void remove(Link link) {
            Node before = link.before;
            if (before == null) {
                return;
            }
            Link next = link.next;
            before.next = next;
            if (next == null) {
                last = before;
            } else {
                next.before = before;
            }
            // A closed object that is kept must not keep its neighbours, nor theirs after them.
            link.before = null;
            link.next = null;
        }

        /** Removes all that are gone. */
        private void sweep() {
            int kept = 0;
            Link next = start.next;
            while (next != null) {
                Link link = next;
                next = link.next;
                if (link.entry.isGone()) {
                    remove(link);
                } else {
                    kept++;
                }
            }
            // So a chain of many objects is not walked for each new one, and at most doubles before the next walk.
            untilNextRound = Math.max(kept, FIRST_ROUND);
        }

        int length() {
            int length = 0;
            for (Link link = start.next; link != null; link = link.next) {
                length++;
            }
            return length;
        }

        void addTo(List<Variable> list) {
            sweep();
            for (Link link = start.next; link != null; link = link.next) {
                list.add(link.entry);
            }
        }
    }
}
