package dev.percpu.concurrent;

import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.internal.protocol.Fences;
import dev.percpu.internal.protocol.NotInlined;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import org.jspecify.annotations.Nullable;

/**
 * The ids of a pool in which each hot thread keeps one id that it gave back. The thread takes that id again with
 * ordinary instructions instead of a sequence. Other threads find it by a search. A thread is hot if it has a place of
 * its own: see {@link OwnPlaces}.
 */
final class KeptIds extends PooledIds {
    /*
     * Each own place has a Keeper here. As long as something is taken out of it, nothing is kept, whatever "kept" is:
     *
     *   owner T takes what it keeps                searching thread S, under the lock
     *   1. kept is 5
     *                                              2. direct = true, heavy fence
     *                                              3. kept is 5, nothing is taken: taken = 5
     *   4. kept = nothing, light fence
     *   5. direct is true: waits for the lock
     *                                              6. hands 5 out, and gives up the lock
     *   7. 5 is taken: T has no id. taken = nothing
     *
     * Only the owner clears "taken": it may be between 1 and 4 when S sets it.
     *
     * With 4 before 3, S finds nothing, and T finds in 7 that nothing is taken: it has the id. If T sees in 5 that
     * direct is false and nothing is taken, it need not ask. Either S set direct later. Then S's heavy fence comes
     * after T's look, and so after T's store. Or direct was set and cleared again between 1 and 5. Then S had set
     * "taken" before direct was cleared. T looks at direct before it looks at "taken", so it sees that.
     *
     * T clears "taken" without the lock. A search that has the lock after T sees that nothing is kept. If it sees a
     * later id but still the old "taken", T has not yet looked at direct after its store, and will find the search.
     *
     * When T gives an id back, it does what PooledIds says of a push. It stores the id, and then looks whether direct
     * is set.
     *
     * If an error breaks T off after 4, T stores "kept" again, by a store that cannot fail. That is right in each case:
     * if S has taken the id, nothing is kept. Otherwise the id is idle again, and whoever waits looks unasked. (If the
     * heap is full when the JVM leaves compiled code there, it may drop T's frame with its handler, as Tally says. Then
     * the id is lost; and if something was taken, it stays so, and the place keeps nothing any more.)
     *
     * When a place has another owner, that one has what its predecessor kept. The predecessor's last store happens
     * before the new owner's first look.
     *
     * At most one id in four can be kept, since other threads find these last: only after they have taken what is
     * vacant, and so made more objects.
     */
    private static final Fences FENCES = Fences.CURRENT;

    private static final VarHandle KEPT;

    private static final int IDS_FOR_EACH = 4;

    static {
        try {
            KEPT = MethodHandles.lookup().findVarHandle(Keeper.class, "kept", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
        WithoutOwnPlace.initialize();
    }

    /** By the index of the place. */
    private final Keeper[] keepers;

    private KeptIds(int capacity, String label) {
        super(capacity, label);
        keepers = new Keeper[Math.min(OwnPlaces.COUNT, capacity / IDS_FOR_EACH)];
        for (int i = 0; i < keepers.length; i++) {
            keepers[i] = new Keeper();
        }
        // Links the call. When a thread first keeps an id, that could fail.
        setKept(new Keeper(), Keeper.NOTHING);
    }

    /**
     * Ids that threads keep. Where both fences are full fences, keeping them would not be faster; there they are
     * ordinary ids.
     */
    static PooledIds create(int capacity, String label) {
        return OwnPlaces.COUNT > 0 && FENCES.isAsymmetric()
                ? new KeptIds(capacity, label)
                : new PooledIds(capacity, label);
    }

    @Override
    long take() {
        Keeper keeper = mine();
        if (keeper != null) {
            int number = keeper.kept;
            if (number != Keeper.NOTHING && takeKept(keeper, number)) {
                return number - 1L;
            }
        }
        return pop();
    }

    @Override
    boolean put(PooledFields<?> entry) {
        Keeper keeper = entry.keeper;
        if (keeper == null || keeper.owner != Thread.currentThread().threadId()) {
            keeper = findKeeper(entry);
        }
        // Pairs with the fence in gatherKept. It comes first, as nothing may be called between the look and the store.
        VarHandle.releaseFence();
        if (keeper != null && keeper.kept == Keeper.NOTHING && keeper.taken == Keeper.NOTHING) {
            setKept(keeper, entry.id + 1);
            return true;
        }
        return push(entry.id);
    }

    /** The keeper of the current thread's place, which the entry refers to from now on; null if none. */
    private @Nullable Keeper findKeeper(PooledFields<?> entry) {
        Keeper keeper = mine();
        if (keeper != null) {
            keeper.owner = Thread.currentThread().threadId();
            entry.keeper = keeper;
        }
        return keeper;
    }

    /** The keeper of the current thread's place; null if there is none. */
    @Nullable
    Keeper mine() {
        if (OwnPlaces.hasMine()) {
            int index = OwnPlaces.index(OwnPlaces.mine());
            return Integer.compareUnsigned(index, keepers.length) < 0 ? keepers[index] : null;
        }
        if (!OwnPlaces.isNeverMine()) {
            WithoutOwnPlace.missed();
        }
        return null;
    }

    /** The owner stores what it keeps; opaque, as {@link Fences} needs it. */
    private static void setKept(Keeper keeper, int number) {
        KEPT.setOpaque(keeper, number);
    }

    /**
     * Takes the id that the current thread keeps.
     *
     * @param number what the caller has just read from {@link Keeper#kept}
     * @return false if a search has taken it
     */
    boolean takeKept(Keeper keeper, int number) {
        boolean known = false;
        try {
            setKept(keeper, Keeper.NOTHING);
            FENCES.light();
            boolean has = (!direct && keeper.taken == Keeper.NOTHING) || hasIt(keeper);
            known = true;
            if (!has) {
                keeper.taken = Keeper.NOTHING;
            }
            return has;
        } finally {
            if (!known) {
                keeper.kept = number;
            }
        }
    }

    /** Whether the owner has the id that it kept, and not a search. */
    private boolean hasIt(Keeper keeper) {
        lock();
        try {
            exchanges++;
            return keeper.taken == Keeper.NOTHING;
        } finally {
            unlock();
        }
    }

    @Override
    void gatherKept() {
        for (Keeper keeper : keepers) {
            int number = keeper.kept;
            if (isKept(keeper, number)) {
                if (idle.room() == 0) {
                    keeper.taken = number;
                    throw tooMany();
                }
                // Before the id is in the store: see PooledIds.
                signal();
                VarHandle.acquireFence();
                idle.push(number - 1);
                keeper.taken = number;
            }
        }
    }

    private static boolean isKept(Keeper keeper, int number) {
        return number != Keeper.NOTHING && keeper.taken == Keeper.NOTHING;
    }

    /** How many ids threads keep; not an atomic snapshot. */
    private int kept() {
        int count = 0;
        for (Keeper keeper : keepers) {
            count += isKept(keeper, keeper.kept) ? 1 : 0;
        }
        return count;
    }

    /** Like the overridden method, but also takes what threads keep. That is possible only while direct is set. */
    @Override
    int collect() {
        lock();
        try {
            if (kept() > 0) {
                boolean before = direct;
                int _ = gather();
                if (!before && waiting.get() == 0) {
                    direct = false;
                }
            }
            return super.collect();
        } finally {
            unlock();
            Reference.reachabilityFence(this);
        }
    }

    @Override
    long total() {
        return super.total() + kept();
    }

    /** What a thread without an own place does. */
    @SuppressWarnings("serial") // there are no objects of it
    private static final class WithoutOwnPlace extends NotInlined {
        static void initialize() {
            // Calling this is enough.
        }

        static void missed() {
            OwnPlaces.missed();
        }
    }
}
