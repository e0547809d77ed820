package dev.percpu.internal.guard;

import java.lang.reflect.Field;

/**
 * Has no thread of this JVM look for dead owners, although the JVM declares libraries of C code. That thread would look
 * as long as the JVM runs. And it would take over the guards that tests of other classes leave behind, before these
 * tests do it themselves.
 */
public final class UnwatchedOwners {
    private UnwatchedOwners() {}

    /** Makes {@link NativeOwners#expect} find the thread started. To be called before the first library is declared. */
    public static void ensure() throws ReflectiveOperationException {
        Field expected = NativeOwners.class.getDeclaredField("expected");
        expected.setAccessible(true);
        expected.setBoolean(null, true);
    }
}
