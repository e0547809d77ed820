package dev.percpu.internal.guard;

/**
 * Lets tests of other packages start a recovery. Their own code must not be in this package: whoever has a frame of it
 * on the stack counts as a thread that is about to close.
 */
public final class RecoveryUnderTest {
    private RecoveryUnderTest() {}

    /** {@link Recovery#freeIfLeftBehind}. */
    public static boolean freeIfLeftBehind(int cpu) {
        return Recovery.freeIfLeftBehind(cpu);
    }
}
