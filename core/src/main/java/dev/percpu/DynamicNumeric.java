package dev.percpu;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.listing.Registry;
import dev.percpu.memory.NumericWidth;
import java.lang.ref.Reference;
import org.jspecify.annotations.Nullable;

/**
 * A number that {@link PerCpuNumeric#create(NumericWidth)} creates and that can be closed. Its memory is given back
 * once it is unreachable, closed or not.
 */
public final class DynamicNumeric extends PureNumeric implements AutoCloseable {
    private @Nullable Reference<?> listed;

    DynamicNumeric(String name, NumericWidth width, long initial) {
        super(name, width);
        begin(Area.allocateFor(this, width.bytes(), width.bytes(), name), initial);
    }

    DynamicNumeric listed(String name) {
        listed = Registry.addClosable(name, width().toString(), this, PerCpuNumeric::values);
        return this;
    }

    /**
     * Closes the number: every operation on it throws from then on. Its memory comes back when it is unreachable.
     * Closing it again does nothing.
     */
    @Override
    public void close() {
        end();
        if (listed != null) {
            listed.clear();
        }
    }
}
