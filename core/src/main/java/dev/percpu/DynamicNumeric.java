package dev.percpu;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.listing.Registry;
import dev.percpu.memory.NumericWidth;

/**
 * A number that {@link PerCpuNumeric#create(NumericWidth)} creates and that can be closed. If it becomes unreachable,
 * its memory is given back automatically.
 */
public final class DynamicNumeric extends PureNumeric implements AutoCloseable {
    static {
        // Not when the first one is closed, as the heap may be full then.
        Registry.initialize();
    }

    DynamicNumeric(String name, NumericWidth width, long initial) {
        super(name, width);
        begin(Area.allocateFor(this, width.bytes(), width.bytes(), name), initial);
    }

    /** Closes the number: every operation on it throws from then on. Closing it again does nothing. */
    @Override
    public void close() {
        end();
        Registry.remove(this);
    }
}
