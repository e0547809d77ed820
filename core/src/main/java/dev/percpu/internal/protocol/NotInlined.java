package dev.percpu.internal.protocol;

import java.io.Serial;

/**
 * A class with static methods that C2 does not inline. It is a {@link Throwable} for that reason only: C2 inlines a
 * method of such a class only into a method of another such class. There are no objects of it.
 *
 * <p>Most such methods do what a thread without an own place does. If there are such threads, C2 would inline the
 * method, however rare it is. But a native call leaves nothing in registers. With one in the middle of a caller's
 * loop, C2 keeps the loop's values in memory, also in the iterations that update the own place. That took as long as
 * the update itself. If the method is a call of its own, C2 saves the values where it calls it. (One register stays as
 * it was across such a call, and C2 keeps the value there that the caller needs most: see {@link Sums}.)
 *
 * <p>Each subclass has a method that does nothing, which the class that uses it calls when it is initialized. Otherwise
 * the first update would load the subclass.
 */
public abstract class NotInlined extends Throwable {
    @Serial
    private static final long serialVersionUID = 1;

    protected NotInlined() {
        throw new AssertionError("there are no objects of this class");
    }
}
