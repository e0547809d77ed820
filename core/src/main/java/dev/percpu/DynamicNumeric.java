package dev.percpu;

import dev.percpu.internal.Registry;
import dev.percpu.internal.area.Area;
import dev.percpu.memory.NumericWidth;

/**
 * A number that {@link PerCpuNumeric#create(NumericWidth)} makes, and that can be closed. One that becomes unreachable
 * gives its memory back by itself.
 */
public final class DynamicNumeric extends PureNumeric implements AutoCloseable {
    DynamicNumeric(String name, NumericWidth width, long initial) {
        super(name, width);
        begin(Area.allocateFor(this, width.bytes(), width.bytes(), name), initial);
    }

    /** Ends the number: every operation on it throws from then on. Closing it again does nothing. */
    @Override
    public void close() {
        end();
        Registry.remove(this);
    }
}
