package dev.percpu.testing;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Fills the heap, except for a few bytes. The JVM needs {@code -XX:-UseTLAB} and the serial collector: without buffers
 * for threads there is one end of the heap, so it can be filled exactly.
 *
 * <p>All that it needs exists from the start. A caller's own handler of the error must have run once before: a
 * handler's first use looks its exception's type up, which allocates, and if that fails, it is passed over.
 */
public final class FilledHeap {
    /** {@link #fill} with this, where the first call counts. */
    public static final int STILL = 4;

    private static final int OBJECT_BYTES = 16;

    /**
     * Sizes of what the heap is filled with: fewer make more steps, and more make more failing allocations, which
     * are slow.
     */
    private static final int LARGEST_FILLER = 1 << 20;

    private static final int FILLER_RATIO = 1 << 8;

    private final Object[] fillers = new Object[1 << 16];
    private int count;

    /** Keeps the room, while the rest is filled. */
    @SuppressWarnings("UnusedVariable")
    private @Nullable Object slack;

    /**
     * Fills the heap, besides what fills it already. When a collection clears references, the JDK's threads let go of
     * what belonged to them a moment later. That was enough for an operation that had no room. So what becomes free
     * late is filled, too.
     *
     * @param room so many bytes stay free
     * @param still so often in a row a look must find nothing that has become free
     */
    public void fill(int room, int still) {
        // The first use of each, and of the handler.
        pause();
        allocate(Integer.MAX_VALUE);
        slack = room < OBJECT_BYTES ? null : new byte[room - OBJECT_BYTES];
        for (int size = LARGEST_FILLER; size >= OBJECT_BYTES; size /= FILLER_RATIO) {
            allocate(size - OBJECT_BYTES);
        }
        int full = 0;
        while (full < still) {
            pause();
            int before = count;
            allocate(0);
            full = count == before ? full + 1 : 0;
        }
        slack = null;
    }

    /** Gives back all that the heap was filled with. */
    public void empty() {
        Arrays.fill(fillers, 0, count, null);
        count = 0;
    }

    /** Lets other threads run. A virtual thread needs memory for that, and without it goes on at once. */
    private static void pause() {
        try {
            Thread.sleep(1);
        } catch (OutOfMemoryError full) {
            // At once.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void allocate(int size) {
        try {
            while (true) {
                fillers[count] = new byte[size];
                count++;
            }
        } catch (OutOfMemoryError full) {
            // As it should be.
        }
    }
}
