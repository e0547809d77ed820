package dev.percpu.cli.bench;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Locale;

/**
 * How many times as long one result took as another one of the same comparison: the quotient of the medians, and what
 * it is at least and at most if each is anywhere between its least and greatest measurement.
 *
 * @param jvms in how many JVMs each of them was measured, at least
 */
record Ratio(double value, double least, double greatest, int jvms) {
    /** If the bounds are this far apart, nothing can be concluded. */
    private static final double TOO_WIDE = 1.5;

    private static final double SMALL = 0.1;

    /**
     * The best peer's time to ours. The bounds are those of all peers: another one may be the best in another run.
     *
     * @param peers fastest first, at least one
     */
    static Ratio ofBest(List<BenchmarkResult> peers, BenchmarkResult ours) {
        return new Ratio(
                peers.getFirst().nanos() / ours.nanos(),
                peers.stream().mapToDouble(BenchmarkResult::least).min().orElseThrow() / ours.greatest(),
                peers.stream().mapToDouble(BenchmarkResult::greatest).min().orElseThrow() / ours.least(),
                Math.min(peers.stream().mapToInt(BenchmarkResult::jvms).min().orElseThrow(), ours.jvms()));
    }

    static Ratio of(BenchmarkResult one, BenchmarkResult other) {
        return new Ratio(
                one.nanos() / other.nanos(),
                one.least() / other.greatest(),
                one.greatest() / other.least(),
                Math.min(one.jvms(), other.jvms()));
    }

    /** Whether the measurements lie too far apart for a conclusion. */
    boolean isUnclear() {
        return greatest / least > TOO_WIDE;
    }

    /** Whether the two ranges have nothing in common. */
    boolean isApartFrom(Ratio other) {
        return greatest < other.least || other.greatest < least;
    }

    /** Such as {@code 2.13x}, or {@code unclear (1.2x to 2.4x)}. */
    @Override
    public String toString() {
        return isUnclear() ? "unclear (" + times(least) + " to " + times(greatest) + ")" : times(value);
    }

    /** The quotient. If it is unclear, or if it is unclear which is faster, its bounds. If both are, only that. */
    String brief() {
        boolean sideIsClear = least >= 1 || greatest <= 1;
        if (sideIsClear == isUnclear()) {
            return times(least) + "–" + times(greatest);
        }
        return sideIsClear ? times(value) : "unclear";
    }

    private static String times(double ratio) {
        // With two decimals only, what is a thousand times slower would be "0.00x".
        return ratio < SMALL
                ? new BigDecimal(ratio).round(new MathContext(2)).toPlainString() + "x"
                : String.format(Locale.ROOT, "%.2fx", ratio);
    }
}
