package dev.percpu.internal.protocol;

/**
 * The type of a parameter that is always null. It keeps the JIT compiler from inlining the method: C2 inlines no method
 * that has a parameter of a class that is not loaded.
 *
 * <p>Such a method does what a thread does until it has a place of its own. The thread's first updates all go there,
 * and the profile of the code has them, so C2 would inline the method however rare it is later. But a native call
 * leaves nothing in registers. With one in the middle of a caller's loop, C2 keeps the loop's values in memory, also in
 * the iterations that update the own place. That took as long as the update itself. If the method is a call of its own,
 * C2 saves the values only where it calls it.
 *
 * <p>Nothing here loads this class. C2 itself does when it compiles such a method alone, that is, when threads without
 * a place call it all the time. A tool that asks the JVM for a method's parameter types does too. Then C2 decides as
 * for any other method. Where the method is rare it is too large to be inlined, and where it is frequent, it may
 * as well be.
 */
public final class NotInlined {
    private NotInlined() {}
}
