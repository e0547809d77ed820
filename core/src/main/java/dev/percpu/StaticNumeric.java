package dev.percpu;

import dev.percpu.memory.NumericWidth;

/** A number that lives as long as the process. */
final class StaticNumeric extends PureNumeric {
    /** @param name has been checked, as it also names the owner of the piece at the position */
    StaticNumeric(String name, NumericWidth width, long position, long initial) {
        super(name, width);
        begin(position, initial);
    }
}
