package dev.percpu.internal.code;

/**
 * The numbers that are compiled into the sequences.
 *
 * @param rseqOffset where {@code struct rseq} lies, from the thread pointer
 * @param cpus how many CPUs have a place in the area
 * @param shift the distance between two CPUs' places, as a power of two
 * @param guardWord the address of CPU 0's guard word
 */
public record SequenceLayout(long rseqOffset, int cpus, int shift, long guardWord) {
    /** How far the spare place is from CPU 0's. */
    long spareDistance() {
        return (long) cpus << shift;
    }
}
