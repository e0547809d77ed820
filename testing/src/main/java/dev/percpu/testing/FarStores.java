package dev.percpu.testing;

/**
 * Stores that miss the cache, so that the processor keeps a later store to itself for a while: what a fence is about
 * then shows, which it hardly does otherwise. For one thread.
 */
public final class FarStores {
    /** As many longs as no cache has. */
    private static final int LONGS = 1 << 23;

    private static final int INDEX_BITS = Integer.numberOfTrailingZeros(LONGS);
    private static final int AT_A_TIME = 4;
    private static final long MULTIPLIER = 6364136223846793005L;

    private final long[] far = new long[LONGS];
    private long random;

    public FarStores(long seed) {
        random = seed;
    }

    /** Does some stores, which wait for memory. */
    public void store() {
        for (int i = 0; i < AT_A_TIME; i++) {
            random = random * MULTIPLIER + 1;
            far[(int) (random >>> (Long.SIZE - INDEX_BITS))] = random;
        }
    }
}
