package dev.percpu;

import dev.percpu.internal.Registry;
import dev.percpu.memory.NumericWidth;

/**
 * A {@code double} that {@link PerCpuDouble#create()} makes, and that can be closed. One that becomes unreachable gives
 * its memory back by itself.
 */
public final class DynamicDouble extends PerCpuDouble implements AutoCloseable {
    private final DynamicNumeric bits;

    DynamicDouble(String name, double initial) {
        this(new DynamicNumeric(name, NumericWidth.LONG, Double.doubleToRawLongBits(initial)));
    }

    private DynamicDouble(DynamicNumeric bits) {
        super(bits);
        this.bits = bits;
    }

    /** Ends the number: every operation on it throws from then on. Closing it again does nothing. */
    @Override
    public void close() {
        bits.close();
        Registry.remove(this);
    }
}
