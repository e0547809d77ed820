package dev.percpu.prometheus;

import dev.percpu.memory.AreaFullException;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.exemplars.ExemplarSampler;
import io.prometheus.metrics.model.snapshots.Exemplars;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** The histogram of some label values. */
final class HistogramDataPoint implements DistributionDataPoint {
    private final HistogramSettings settings;
    private final @Nullable ExemplarSampler sampler;

    /**
     * Held by the thread that adds a counter or replaces the counters. A thread that counts needs it only for a
     * bucket's first value.
     */
    private final ReentrantLock lock = new ReentrantLock();

    private volatile HistogramCounters counters;

    /** From when on it may begin anew. Written under the lock. */
    private volatile long resetAt;

    HistogramDataPoint(HistogramSettings settings, @Nullable ExemplarSampler sampler) {
        this.settings = settings;
        this.sampler = sampler;
        counters = HistogramCounters.create(settings);
        resetAt = settings.nanoTime().getAsLong() + settings.resetNanos();
    }

    @Override
    public void observe(double value) {
        // The client ignores NaN too.
        if (Double.isNaN(value)) {
            return;
        }
        count(value);
        if (sampler != null) {
            sampler.observe(value);
        }
    }

    @Override
    public void observeWithExemplar(double value, Labels labels) {
        if (Double.isNaN(value)) {
            return;
        }
        count(value);
        if (sampler != null) {
            sampler.observeWithExemplar(value, labels);
        }
    }

    private void count(double value) {
        HistogramCounters current = counters;
        int counter = current.counterOf(value);
        if (counter >= 0) {
            current.count(counter, value);
        } else {
            countFirst(value);
        }
    }

    /*
     * No thread waits for those that count. A thread may read the counters, and count after another thread has
     * replaced them. The new counters have its counter too, so nothing is lost. Only a reset begins with other
     * counters: then it is as if the value had been observed before the reset.
     */
    private void countFirst(double value) {
        HistogramCounters current;
        int counter;
        lock.lock();
        try {
            current = counters;
            counter = current.counterOf(value);
            while (counter < 0) {
                int buckets = current.nativeBuckets();
                current = current.withCounterFor(value);
                // As the client does: once for a new bucket, even if that leaves too many.
                if (current.nativeBuckets() > buckets) {
                    current = limited(current);
                }
                counters = current;
                counter = current.counterOf(value);
            }
        } finally {
            lock.unlock();
        }
        current.count(counter, value);
    }

    /** Returns {@code current}, or counters with fewer native buckets if it has too many. */
    private HistogramCounters limited(HistogramCounters current) {
        if (current.nativeBuckets() <= settings.maxBuckets() || current.isCoarsest()) {
            return current;
        }
        if (mayReset()) {
            try {
                return begin(HistogramCounters.create(settings));
            } catch (AreaFullException e) {
                // It resets later. A coarser schema needs no memory of the area, so the value is counted.
            }
        }
        return current.scaledDown();
    }

    private boolean mayReset() {
        return settings.resetNanos() > 0 && settings.nanoTime().getAsLong() - resetAt >= 0;
    }

    private HistogramCounters begin(HistogramCounters anew) {
        resetAt = settings.nanoTime().getAsLong() + settings.resetNanos();
        if (sampler != null) {
            sampler.reset();
        }
        return anew;
    }

    @Override
    public long getCount() {
        return counters.count();
    }

    @Override
    public double getSum() {
        return counters.sum();
    }

    HistogramDataPointSnapshot collect(Labels labels) {
        // Before the counts, so that no exemplar is exposed whose observation is not.
        Exemplars exemplars = sampler == null ? Exemplars.EMPTY : sampler.collect();
        HistogramCounters current = counters;
        HistogramDataPointSnapshot snapshot = current.snapshot(labels, exemplars);
        // After the snapshot, so that little is lost.
        if (current.isScaledDown() && mayReset()) {
            reset(current);
        }
        return snapshot;
    }

    private void reset(HistogramCounters current) {
        HistogramCounters anew;
        try {
            // Without the lock, for which threads that count may wait: this takes memory, and so perhaps a collection.
            anew = HistogramCounters.create(settings);
        } catch (AreaFullException e) {
            // It keeps its counters until a later scrape. If this one failed, all other metrics would be lost.
            return;
        }
        // If another thread has the lock, a later scrape resets.
        if (lock.tryLock()) {
            try {
                // If they were replaced meanwhile, the others may have observations that no scrape has exposed.
                if (counters == current) {
                    counters = begin(anew);
                }
            } finally {
                lock.unlock();
            }
        }
    }
}
