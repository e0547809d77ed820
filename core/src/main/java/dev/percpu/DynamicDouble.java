package dev.percpu;

import dev.percpu.internal.listing.Registry;
import dev.percpu.memory.NumericWidth;
import java.lang.ref.Reference;
import org.jspecify.annotations.Nullable;

/**
 * A per-CPU {@code double} that {@link PerCpuDouble#create()} creates and that can be closed. Its memory is given back
 * once it is unreachable, closed or not.
 */
public final class DynamicDouble extends PerCpuDouble implements AutoCloseable {
    private @Nullable Reference<?> listed;

    DynamicDouble(String name, double initial) {
        super(new DynamicNumeric(name, NumericWidth.LONG, Double.doubleToRawLongBits(initial)), initial);
    }

    DynamicDouble listed(String name) {
        listed = Registry.addClosable(name, TYPE, this, PerCpuDouble::values);
        return this;
    }

    /**
     * Closes the number: every operation on it throws from then on. Its memory comes back when it is unreachable.
     * Closing it again does nothing.
     */
    @Override
    public void close() {
        bits.end();
        if (listed != null) {
            listed.clear();
        }
    }
}
