package dev.percpu.internal.code;

/**
 * The numbers that are compiled into the sequences.
 *
 * @param rseqOffset the offset of {@code struct rseq} from the thread pointer
 * @param cpus how many CPUs have a place in the area
 * @param shift the distance between two CPUs' places, as an exponent of 2
 * @param guardWord the address of CPU 0's guard word
 * @param gateDistance the distance from CPU 0's place to the one with the gates
 */
public record SequenceLayout(long rseqOffset, int cpus, int shift, long guardWord, long gateDistance) {
    /** The distance from CPU 0's place to the spare place. */
    long spareDistance() {
        return (long) cpus << shift;
    }
}
