package dev.percpu.internal.guard;

import java.lang.invoke.VarHandle;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * The threads that may own a CPU, by their ids. A thread that finds an id in a guard word can look up the owner here,
 * and ask whether it has ended.
 *
 * <p>A thread registers before its first acquisition. So once its id is stored, nothing that can fail has to happen
 * before others can recover its CPU. Every later acquisition pays for this with one load and one comparison.
 *
 * <p>Threads are held weakly, so that a thread which has ended does not keep its class loader alive. Therefore an id
 * without a thread means that the thread has ended. A platform thread is reachable while it runs. So is a virtual
 * thread that runs, or that something can wake up. A virtual thread that is unreachable while it waits can be
 * collected. Nothing can wake it up any more, so it never returns to its guard, and others may take that guard over as
 * they do a dead thread's. (There is one exception: a finalizer could still reach the thread and wake it up. Weak
 * references are cleared before finalizers run, so such a thread counts as ended too.)
 */
public final class Owners {
    /**
     * Ids are given in ascending order, so threads that start at the same time don't share an entry of {@link #KNOWN}.
     */
    private static final int KNOWN_LENGTH = 4096;

    /** For each value of an id's last bits, one registered id. A thread looks for its own id, which only it writes. */
    private static final long[] KNOWN = new long[KNOWN_LENGTH];

    private static final ConcurrentMap<Long, Owner> REGISTERED = new ConcurrentHashMap<>();
    private static final ReferenceQueue<Thread> COLLECTED = new ReferenceQueue<>();

    /**
     * More than one, so that the table shrinks; few, so that no thread spends long on cleaning up after earlier ones.
     */
    private static final int REMOVED_AT_ONCE = 4;

    private Owners() {}

    private static final class Owner extends WeakReference<Thread> {
        private final long id;

        private Owner(Thread thread) {
            super(thread, COLLECTED);
            this.id = thread.threadId();
        }
    }

    /** Registers the current thread if it isn't registered yet. Must come before its id is stored in a guard word. */
    public static void register(Thread me) {
        long id = me.threadId();
        if (KNOWN[(int) id & (KNOWN_LENGTH - 1)] != id) {
            registerSlowly(me, id);
        }
    }

    private static void registerSlowly(Thread me, long id) {
        // If another thread has overwritten this thread's entry, this thread is registered all the same.
        if (!REGISTERED.containsKey(id)) {
            removeCollected();
            REGISTERED.put(id, new Owner(me));
            // A thread that sees the id in a guard word must see it in the table too. The sequence that stores the id
            // is no release store, so on some architectures the id could be seen first.
            VarHandle.fullFence();
        }
        KNOWN[(int) id & (KNOWN_LENGTH - 1)] = id;
    }

    private static void removeCollected() {
        for (int i = 0; i < REMOVED_AT_ONCE; i++) {
            if (!(COLLECTED.poll() instanceof Owner owner)) {
                return;
            }
            REGISTERED.remove(owner.id);
        }
    }

    /** The thread whose id is in a guard word; null if it has ended and been collected. */
    static @Nullable Thread find(long id) {
        Owner owner = REGISTERED.get(id);
        return owner == null ? null : owner.get();
    }

    static boolean hasEnded(long id) {
        Thread thread = find(id);
        return thread == null || !thread.isAlive();
    }

    /** For messages. It does not call {@code toString}, which a subclass can override with the user's code. */
    static String describe(long id, @Nullable Thread thread) {
        return thread == null || thread.getName().isEmpty()
                ? "thread #" + id
                : "thread #" + id + " \"" + thread.getName() + "\"";
    }
}
