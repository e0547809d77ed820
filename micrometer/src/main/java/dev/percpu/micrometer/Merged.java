package dev.percpu.micrometer;

import io.micrometer.core.instrument.Meter;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.function.DoubleSupplier;

/**
 * What one meter of the exporter shows: the sum of what one or several meters have, or the greatest. There are several
 * if the exporter's filters give the same id to all of them, or if several registries are in front of one exporter.
 */
final class Merged {
    /** What the exporter's meter is of. */
    enum Kind {
        COUNTER,
        TIMER,
        TIMER_MAXIMUM,
        SUMMARY_COUNT,
        SUMMARY_TOTAL,
        SUMMARY_MAXIMUM;

        boolean isMaximum() {
            return this == TIMER_MAXIMUM || this == SUMMARY_MAXIMUM;
        }
    }

    private final Kind kind;

    /** The numbers of each meter. */
    private final IdentityHashMap<Meter, DoubleSupplier[]> sources = new IdentityHashMap<>(1);

    /** What meters had counted that were removed while others were left: a sum never goes back. */
    private final double[] removed;

    /**
     * The greatest sums that were shown so far. A removal changes the order in which doubles are added, and then their
     * sum can be less by its last bit. Prometheus would take that for a counter that began anew.
     */
    private final double[] shown;

    Merged(Kind kind, int numbers) {
        this.kind = kind;
        removed = new double[numbers];
        shown = new double[numbers];
    }

    Kind kind() {
        return kind;
    }

    synchronized void add(Meter meter, DoubleSupplier... numbers) {
        sources.put(meter, numbers);
    }

    synchronized void remove(Meter meter) {
        DoubleSupplier[] numbers = sources.remove(meter);
        if (numbers != null && !kind.isMaximum()) {
            Arrays.setAll(removed, i -> removed[i] + numbers[i].getAsDouble());
        }
    }

    /** The only number, or the first of two. */
    double first() {
        return get(0);
    }

    double second() {
        return get(1);
    }

    /** Synchronized, so that a meter that is being removed is in the sum once. */
    private synchronized double get(int number) {
        double all = removed[number];
        for (DoubleSupplier[] numbers : sources.values()) {
            double one = numbers[number].getAsDouble();
            all = kind.isMaximum() ? Math.max(all, one) : all + one;
        }
        if (kind.isMaximum()) {
            return all;
        }
        // It begins with 0. The total of a summary with a negative scale is less, and a counter that is negative makes
        // the scrapes of some exporters fail, with all other meters.
        shown[number] = Math.max(shown[number], all);
        return shown[number];
    }
}
