package dev.percpu.micrometer;

import io.micrometer.core.instrument.distribution.pause.PauseDetector;

/** Knows how often Micrometer has looked it up in a map, which it does for each timer that has it. */
final class CountingDetector implements PauseDetector {
    private int lookedUp;

    int lookedUp() {
        return lookedUp;
    }

    @Override
    public int hashCode() {
        lookedUp++;
        return 1;
    }

    @Override
    public boolean equals(Object other) {
        return this == other;
    }
}
