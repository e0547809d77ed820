package dev.percpu.hdrhistogram;

import dev.percpu.concurrent.HistogramSnapshot;
import org.HdrHistogram.Histogram;

/** Makes histograms of HdrHistogram. */
public final class HdrHistograms {
    /**
     * The precision bits that HdrHistogram has for 0 to 4 significant digits: it takes the next power of two above
     * {@code 2 * 10^digits} for two powers of two of values, so half of that for each. For 5 it has 17, which are more
     * than a snapshot can have.
     */
    private static final int[] PRECISION_BITS = {0, 4, 7, 10, 14};

    private HdrHistograms() {}

    /**
     * Copies a snapshot into a histogram with the same count.
     *
     * <p>The histogram has the most significant digits that the snapshot has bits for: none for 0 to 3 bits of
     * precision, 1 for 4 to 6, 2 for 7 to 9 (a relative error of 1%), 3 for 10 to 13, 4 for more. Each of the
     * snapshot's buckets then lies within one of the histogram's, so nothing is less precise than the histogram says.
     * Its unit is that of the snapshot.
     *
     * <p>HdrHistogram knows no values out of range. Negative ones are recorded as 0, those above the range as
     * {@link HistogramSnapshot#highestTrackable()}. The histogram does not have the exact sum either: its mean
     * is an estimate. It has no start and end time, which a snapshot does not know: a log of intervals needs them.
     *
     * @throws IllegalStateException if the histogram was built with {@linkplain HistogramSnapshot#bounds() bounds}:
     *     then its buckets fit into no number of significant digits
     */
    public static Histogram toHdrHistogram(HistogramSnapshot snapshot) {
        if (snapshot.bounds().length > 0) {
            throw new IllegalStateException(
                    "a histogram with bounds cannot be converted, as its buckets fit into no number of significant"
                            + " digits: build it with precisionBits or relativeError instead");
        }
        long highest = snapshot.highestTrackable();
        Histogram histogram = new Histogram(snapshot.unit(), highest, digits(snapshot.precisionBits()));
        for (HistogramSnapshot.Bucket bucket : snapshot.buckets()) {
            histogram.recordValueWithCount(Math.clamp(bucket.lowest(), 0, highest), bucket.count());
        }
        return histogram;
    }

    private static int digits(int precisionBits) {
        int digits = 0;
        while (digits + 1 < PRECISION_BITS.length && PRECISION_BITS[digits + 1] <= precisionBits) {
            digits++;
        }
        return digits;
    }
}
