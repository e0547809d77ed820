package dev.percpu.internal;

import dev.percpu.internal.event.Recording;
import dev.percpu.listing.Value;
import dev.percpu.listing.Variable;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The variables and structures that have a name, for listings. Static ones are kept forever, since they live as long as
 * the process. All others are held weakly: a user that drops one does not have to unregister it.
 */
public final class Registry {
    /** A plain list, since there can be very many, and each takes heap until the process ends. */
    private static final List<Variable> STATIC = new ArrayList<>();

    private static final Set<Dynamic<?>> DYNAMIC = new LinkedHashSet<>();
    private static final ReferenceQueue<Object> GONE = new ReferenceQueue<>();

    private Registry() {}

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

    /** Something that has a name and lives as long as the process. */
    private static final class Static<T> implements Variable {
        private final String name;
        private final String type;
        private final T object;
        private final Reader<? super T> reader;

        private Static(String name, String type, T object, Reader<? super T> reader) {
            this.name = name;
            this.type = type;
            this.object = object;
            this.reader = reader;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public String type() {
            return type;
        }

        @Override
        public List<Value> values() {
            return reader.read(object);
        }

        @Override
        public String toString() {
            return name + ": " + type;
        }
    }

    /** Something that has a name, and is listed as long as it is reachable. */
    private static final class Dynamic<T> extends WeakReference<T> implements Variable {
        private final String name;
        private final String type;
        private final Reader<? super T> reader;

        private Dynamic(String name, String type, T object, Reader<? super T> reader) {
            super(object, GONE);
            this.name = name;
            this.type = type;
            this.reader = reader;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public String type() {
            return type;
        }

        @Override
        public List<Value> values() {
            T object = get();
            return object == null ? List.of() : reader.read(object);
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
            throw new IllegalArgumentException("a name is for messages and listings, so it must not be "
                    + (name == null ? "null" : "blank") + "; what has no name is made without that argument");
        }
        return name;
    }

    /** Adds an object that lives as long as the process. */
    public static <T> void addStatic(String name, String type, T object, Reader<? super T> reader) {
        Recording.listing(Registry::list);
        synchronized (STATIC) {
            STATIC.add(new Static<>(name, type, object, reader));
        }
    }

    /** Adds an object that can go away. It must be completely constructed. */
    public static <T> void add(String name, String type, T object, Reader<? super T> reader) {
        Recording.listing(Registry::list);
        synchronized (DYNAMIC) {
            removeGone();
            DYNAMIC.add(new Dynamic<>(name, type, object, reader));
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
            DYNAMIC.removeIf(entry -> refersTo(entry, object));
        }
    }

    @SuppressWarnings("unchecked") // an object of another type is only compared
    private static boolean refersTo(Dynamic<?> entry, Object object) {
        return ((Dynamic<Object>) entry).refersTo(object);
    }

    /** All objects that are alive: first the static ones, then the others, both in the order they were made in. */
    public static List<Variable> list() {
        List<Variable> list;
        synchronized (STATIC) {
            list = new ArrayList<>(STATIC);
        }
        synchronized (DYNAMIC) {
            removeGone();
            list.addAll(DYNAMIC);
        }
        return list;
    }

    private static void removeGone() {
        for (Reference<?> gone; (gone = GONE.poll()) != null; ) {
            DYNAMIC.remove(gone);
        }
    }
}
