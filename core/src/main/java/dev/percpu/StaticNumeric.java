package dev.percpu;

import dev.percpu.internal.Registry;
import dev.percpu.memory.NumericWidth;

/** A number that lives as long as the process. */
final class StaticNumeric extends PureNumeric {
    StaticNumeric(String name, NumericWidth width, long position, long initial) {
        super(Registry.checkName(name), width);
        begin(position, initial);
    }
}
