package dev.percpu;

import dev.percpu.internal.listing.Registry;
import dev.percpu.memory.NumericWidth;

/**
 * A per-CPU {@code double} that {@link PerCpuDouble#create()} creates and that can be closed. If it becomes
 * unreachable, its memory is given back automatically.
 */
public final class DynamicDouble extends PerCpuDouble implements AutoCloseable {
    static {
        // Not when the first one is closed, as the heap may be full then.
        Registry.initialize();
    }

    private final DynamicNumeric bits;

    DynamicDouble(String name, double initial) {
        this(new DynamicNumeric(name, NumericWidth.LONG, Double.doubleToRawLongBits(initial)), initial);
    }

    private DynamicDouble(DynamicNumeric bits, double initial) {
        super(bits, initial);
        this.bits = bits;
    }

    /** Closes the number: every operation on it throws from then on. Closing it again does nothing. */
    @Override
    public void close() {
        bits.close();
        Registry.remove(this);
    }
}
