package dev.percpu.stress.failure;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The heap is full: the operation is called with a few bytes left, then with a few more, until it no longer fails. So
 * first its first allocation fails, then its second one, and so on.
 */
final class FullHeap implements Shortage {
    /** So often in a row the operation must succeed before there is thought to be room for all that it allocates. */
    private static final int ENOUGH = 4;

    /** To ask which CPUs are online is to read a file, and the JDK's buffers for that take more than 16 KiB. */
    private static final int MOST_BYTES = 1 << 15;

    private static final int OBJECT_BYTES = 16;

    /**
     * Sizes of what the heap is filled with: fewer make more steps, and more make more failing allocations, which
     * are slow.
     */
    private static final int LARGEST_FILLER = 1 << 20;

    private static final int FILLER_RATIO = 16;

    /** The heap counts as full once so many looks in a row have found nothing free. */
    private static final int STILL = 4;

    private final int stride;
    private final Object[] fillers = new Object[1 << 15];

    /** Keeps the room for the operation, while the rest is filled. */
    @SuppressWarnings("UnusedVariable")
    private @Nullable Object slack;

    /** @param stride by how many bytes the room grows */
    FullHeap(int stride) {
        this.stride = stride;
    }

    @Override
    public String name() {
        return "heap";
    }

    @Override
    public List<String> jvmOptions() {
        // Without buffers for threads there is one end of the heap, so it can be filled exactly.
        return List.of("-Xmx8m", "-XX:+UseSerialGC", "-XX:-UseTLAB");
    }

    /** See {@link Operation#parksVirtualThread()}. */
    @Override
    public boolean fits(Operation operation) {
        return !operation.parksVirtualThread();
    }

    @Override
    public void run(Rounds rounds) throws Exception {
        rehearse(MOST_BYTES);
        rounds.undisturbed();
        rounds.undisturbed();
        int passed = 0;
        for (int room = 0; passed < ENOUGH && room < MOST_BYTES && !rounds.isOver(); room += stride) {
            int bytes = room;
            boolean failed = rounds.once(trial -> use(trial, bytes, 0));
            passed = failed ? 0 : passed + 1;
            if (failed) {
                rounds.undisturbed();
            }
        }
        if (passed == 0) {
            rounds.neverPassed(MOST_BYTES + " bytes of heap");
        }
    }

    /** A handler's first use looks its exception's type up, which allocates, and if that fails, it is passed over. */
    @Override
    public void rehearse(int room) {
        int _ = fill(Integer.MAX_VALUE, 0);
        Throwable _ = use(new Rehearsal(), room, 1);
    }

    /**
     * The first time counts, so what becomes free late is filled, too. When a collection clears references, the JDK's
     * threads let go of what belonged to them a moment later. That was enough for an operation that had no room.
     */
    @Override
    public @Nullable Throwable use(Trial trial, int room) {
        return use(trial, room, STILL);
    }

    /** @param still so often in a row nothing may become free before the operation is called */
    private @Nullable Throwable use(Trial trial, int room, int still) {
        Rounds.Act act = trial::act;
        slack = room < OBJECT_BYTES ? null : new byte[room - OBJECT_BYTES];
        int count = 0;
        for (int size = LARGEST_FILLER; size >= OBJECT_BYTES; size /= FILLER_RATIO) {
            count = fill(size - OBJECT_BYTES, count);
        }
        int full = 0;
        while (full < still) {
            pause();
            int before = count;
            count = fill(0, before);
            full = count == before ? full + 1 : 0;
        }
        slack = null;
        Throwable thrown = Rounds.thrownBy(act);
        Arrays.fill(fillers, 0, count, null);
        return thrown;
    }

    /** Lets other threads run. A virtual thread needs memory for that, and without it goes on at once. */
    private static void pause() {
        try {
            Thread.sleep(1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (OutOfMemoryError full) {
            Thread.onSpinWait();
        }
    }

    private int fill(int size, int count) {
        int next = count;
        try {
            while (true) {
                fillers[next] = new byte[size];
                next++;
            }
        } catch (OutOfMemoryError full) {
            return next;
        }
    }

    @Override
    public boolean explains(Throwable thrown) {
        return thrown instanceof OutOfMemoryError;
    }
}
