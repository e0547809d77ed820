package dev.percpu.internal;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The variables and structures that have a name, for listings. A static one is kept for good, as it lives as long as
 * the process. All others are held weakly: whoever drops one need not tell.
 */
public final class Registry {
    private static final Set<Entry> ENTRIES = new LinkedHashSet<>();
    private static final ReferenceQueue<Object> GONE = new ReferenceQueue<>();

    private Registry() {}

    /** Something that has a name. */
    private static final class Entry extends WeakReference<Object> {
        private final Named named;

        /** Keeps what lives as long as the process; null for everything else. */
        @SuppressWarnings({"unused", "FieldCanBeLocal"})
        private final @Nullable Object kept;

        private Entry(Named named, Object object, @Nullable Object kept) {
            super(object, GONE);
            this.named = named;
            this.kept = kept;
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
     * Checks a name that a user gives.
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

    /** Lists what lives as long as the process. */
    public static void addStatic(String name, String type, Object named) {
        add(new Entry(new Named(name, type), named, named));
    }

    /** Lists what can go away. It must have been made completely. */
    public static void add(String name, String type, Object named) {
        add(new Entry(new Named(name, type), named, null));
    }

    private static void add(Entry entry) {
        synchronized (ENTRIES) {
            removeGone();
            ENTRIES.add(entry);
        }
    }

    /** Ends the listing of something that is closed. */
    public static void remove(Object named) {
        synchronized (ENTRIES) {
            removeGone();
            ENTRIES.removeIf(entry -> entry.refersTo(named));
        }
    }

    /** What there is, in the order in which it was made. */
    public static List<Named> list() {
        synchronized (ENTRIES) {
            removeGone();
            return ENTRIES.stream().map(entry -> entry.named).toList();
        }
    }

    private static void removeGone() {
        for (Reference<?> gone; (gone = GONE.poll()) != null; ) {
            ENTRIES.remove(gone);
        }
    }
}
