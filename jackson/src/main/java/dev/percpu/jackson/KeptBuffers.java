package dev.percpu.jackson;

import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The byte or the char buffers of a recycler that has one holder at a time. Jackson's own recycler can be shared by
 * parsers of one thread, and so swaps each buffer out and in with an atomic instruction. Here a buffer stays in its
 * place, and whoever takes it or gives it back sets a flag: no atomic instruction, and no reference is written, for
 * which the garbage collector would have a barrier.
 *
 * <p>Even so two threads can use this at once. Jackson 2's generator gives its recycler back first and then its
 * buffers, so the next holder may take while the last one gives back. But only one thread, the holder, takes.
 *
 * @param <B> an array
 */
final class KeptBuffers<B> {
    /** As many as Jackson has uses for byte buffers, and for char buffers. */
    private static final int USES = 4;

    /**
     * A buffer and its flag. The holder sets the flag, and only the parser or generator that has the buffer clears it.
     * With a flag for each place instead, giving back one buffer could free another one: thread A finds the place lent,
     * B gives back its buffer there, C takes that, and A frees the place.
     */
    private static final class Kept<B> {
        final B buffer;
        final int length;
        boolean lent;

        Kept(B buffer, int length) {
            this.buffer = buffer;
            this.length = length;
        }
    }

    private final AtomicReferenceArray<@Nullable Kept<B>> byUse = new AtomicReferenceArray<>(USES);

    /** Takes the buffer that is kept for a use. Returns null if there is none, or if it is lent or too short. */
    @Nullable
    B take(int use, int length) {
        Kept<B> kept = byUse.getAcquire(use);
        if (kept == null || kept.length < length || kept.lent) {
            return null;
        }
        // The last one who had it wrote into it before clearing the flag.
        VarHandle.acquireFence();
        kept.lent = true;
        return kept.buffer;
    }

    /**
     * Gives a buffer back, which need not come from here. If another one is kept for that use, this one replaces it if
     * that one is lent or shorter. If two threads do this at once, either buffer may be dropped.
     */
    @SuppressWarnings("ReferenceEquality") // Arrays have no other.
    void giveBack(int use, B buffer, int length) {
        Kept<B> kept = byUse.getAcquire(use);
        if (kept != null && kept.buffer == buffer) {
            VarHandle.releaseFence();
            kept.lent = false;
        } else if (kept == null || kept.lent || kept.length < length) {
            byUse.setRelease(use, new Kept<>(buffer, length));
        }
    }
}
