package dev.percpu.internal.guard;

import java.lang.invoke.VarHandle;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * The threads that may own a CPU, by their ids: whoever finds an id in a guard word can ask for its thread, and whether
 * that has ended.
 *
 * <p>A thread registers before its first acquisition. Nothing that could fail is left to do between the store of its id
 * and the moment from which others can recover its CPU. It costs every later acquisition one load and one comparison.
 *
 * <p>Threads are held weakly, so a thread that has ended does not keep its class loader alive. Therefore an id that
 * leads to no thread is that of a thread which has ended. A platform thread is reachable while it runs. So is a
 * virtual thread that runs, or that something can wake up. A virtual thread that is unreachable while it waits can be
 * collected. Nothing can wake it up any more, so it never comes back to its guard, and its guard is free for others
 * as a dead one's is.
 */
public final class Owners {
    /**
     * Ids are given in ascending order, so threads that were started together don't share an entry of {@link #KNOWN}.
     */
    private static final int KNOWN_LENGTH = 4096;

    /** For each id's last bits, an id that is registered. Each thread looks for its own, which only it writes. */
    private static final long[] KNOWN = new long[KNOWN_LENGTH];

    private static final ConcurrentMap<Long, Owner> REGISTERED = new ConcurrentHashMap<>();
    private static final ReferenceQueue<Thread> COLLECTED = new ReferenceQueue<>();

    /** More than one, so that the table shrinks; few, so that no thread works long for those before it. */
    private static final int REMOVED_AT_ONCE = 4;

    private Owners() {}

    private static final class Owner extends WeakReference<Thread> {
        private final long id;

        private Owner(Thread thread) {
            super(thread, COLLECTED);
            this.id = thread.threadId();
        }
    }

    /** Registers the current thread if it isn't registered yet. Must come before its id gets into a guard word. */
    public static void register(Thread me) {
        long id = me.threadId();
        if (KNOWN[(int) id & (KNOWN_LENGTH - 1)] != id) {
            registerSlowly(me, id);
        }
    }

    private static void registerSlowly(Thread me, long id) {
        // A thread whose entry another one has taken is registered still.
        if (!REGISTERED.containsKey(id)) {
            removeCollected();
            REGISTERED.put(id, new Owner(me));
            // Whoever sees the id in a guard word sees it in the table too. The sequence that stores it is no release
            // store, so on some architectures it could be seen first.
            VarHandle.fullFence();
        }
        KNOWN[(int) id & (KNOWN_LENGTH - 1)] = id;
    }

    private static void removeCollected() {
        for (int i = 0; i < REMOVED_AT_ONCE; i++) {
            if (!(COLLECTED.poll() instanceof Owner owner)) {
                return;
            }
            REGISTERED.remove(owner.id, owner);
        }
    }

    /** The thread with an id that is in a guard word; null if it has ended and been collected. */
    static @Nullable Thread find(long id) {
        Owner owner = REGISTERED.get(id);
        return owner == null ? null : owner.get();
    }

    static boolean hasEnded(long id) {
        Thread thread = find(id);
        return thread == null || !thread.isAlive();
    }

    /** For messages. A subclass's {@code toString} is the user's code, so it is not called. */
    static String describe(long id, @Nullable Thread thread) {
        return thread == null || thread.getName().isEmpty()
                ? "thread #" + id
                : "thread #" + id + " \"" + thread.getName() + "\"";
    }
}
