package dev.percpu.internal;

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
    private static final List<Static> STATIC = new ArrayList<>();

    private static final Set<Dynamic> DYNAMIC = new LinkedHashSet<>();
    private static final ReferenceQueue<Object> GONE = new ReferenceQueue<>();

    private Registry() {}

    /** Something that has a name and lives as long as the process. */
    private record Static(String name, String type, Object object) {}

    /** Something that has a name, and is listed as long as it is reachable. */
    private static final class Dynamic extends WeakReference<Object> {
        private final Named named;

        private Dynamic(Named named, Object object) {
            super(object, GONE);
            this.named = named;
        }
    }

    /**
     * One that is alive.
     *
     * @param name what its maker calls it; it need not be unique
     * @param type what it is
     */
    public record Named(String name, String type) {}

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
    public static void addStatic(String name, String type, Object object) {
        synchronized (STATIC) {
            STATIC.add(new Static(name, type, object));
        }
    }

    /** Adds an object that can go away. It must be completely constructed. */
    public static void add(String name, String type, Object object) {
        synchronized (DYNAMIC) {
            removeGone();
            DYNAMIC.add(new Dynamic(new Named(name, type), object));
        }
    }

    /** Removes an object that was closed. */
    public static void remove(Object object) {
        synchronized (DYNAMIC) {
            removeGone();
            DYNAMIC.removeIf(entry -> entry.refersTo(object));
        }
    }

    /** All objects that are alive: first the static ones, then the others, both in the order they were made in. */
    public static List<Named> list() {
        List<Named> list = new ArrayList<>();
        synchronized (STATIC) {
            STATIC.forEach(entry -> list.add(new Named(entry.name, entry.type)));
        }
        synchronized (DYNAMIC) {
            removeGone();
            DYNAMIC.forEach(entry -> list.add(entry.named));
        }
        return list;
    }

    private static void removeGone() {
        for (Reference<?> gone; (gone = GONE.poll()) != null; ) {
            DYNAMIC.remove(gone);
        }
    }
}
