package stranger;

import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.hdrhistogram.HdrHistograms;
import org.HdrHistogram.Histogram;

final class UsesHdrHistogram {

    private UsesHdrHistogram() {}

    static String run() throws InterruptedException {
        PerCpuHistogram sizes = PerCpuHistogram.builder().build();
        Main.inThreads(() -> sizes.record(7));
        Histogram histogram = HdrHistograms.toHdrHistogram(sizes.snapshot());
        return histogram.getTotalCount() + " recorded, maximum " + histogram.getMaxValue();
    }
}
