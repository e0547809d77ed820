package dev.percpu.micrometer;

import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import io.micrometer.core.instrument.AbstractMeter;
import io.micrometer.core.instrument.Counter;

/**
 * A counter. Increments by 1 are counted apart from the others, as that is faster.
 *
 * <p>As in Micrometer's registry for Prometheus, an amount that is not above 0 counts nothing. Micrometer's counters
 * only grow, and a single negative one would make each scrape of that exporter fail, with all other meters.
 */
final class CountingMeter extends AbstractMeter implements Counter {
    private final PerCpuCounter ones = new PerCpuCounter();
    private final PerCpuDoubleCounter amounts = new PerCpuDoubleCounter();

    CountingMeter(Id id) {
        super(id);
    }

    @Override
    public void increment() {
        ones.increment();
    }

    @Override
    public void increment(double amount) {
        if (amount == 1) {
            ones.increment();
        } else if (amount > 0) {
            amounts.add(amount);
        }
    }

    @Override
    public double count() {
        return ones.sum() + amounts.sum();
    }
}
