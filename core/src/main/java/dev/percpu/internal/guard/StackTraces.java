package dev.percpu.internal.guard;

/** Tells from a thread's stack trace whether the thread is working on guards just now. */
final class StackTraces {
    private static final String PACKAGE = Ownership.class.getPackageName() + ".";

    /**
     * The name of {@code CpuGuard}, on which this package does not depend. That class sets it before any thread is in
     * its methods.
     */
    private static String guard = "";

    /** Acquire and close make no calls that are nested as deeply as this. */
    private static final int DEEP_ENOUGH = 32;

    /** A JVM can be configured to truncate traces ({@code -XX:MaxJavaStackTraceDepth}); then they are of no use. */
    private static final boolean ARE_DEEP_ENOUGH = traceFrom(DEEP_ENOUGH).length > DEEP_ENOUGH;

    private StackTraces() {}

    static void setGuard(String className) {
        guard = className;
    }

    private static StackTraceElement[] traceFrom(int depth) {
        return depth == 0 ? Thread.currentThread().getStackTrace() : traceFrom(depth - 1);
    }

    /**
     * Whether the thread's stack trace can be trusted. A subclass can override {@code getStackTrace}; then it is the
     * user's code, which must not run here.
     */
    static boolean canTell(Thread thread) {
        if (!ARE_DEEP_ENOUGH) {
            return false;
        }
        try {
            return thread.isVirtual()
                    || thread.getClass().getMethod("getStackTrace").getDeclaringClass() == Thread.class;
        } catch (ReflectiveOperationException | LinkageError e) {
            return false;
        }
    }

    /**
     * Whether the thread is inside a method of this package or of {@code CpuGuard}, or might be.
     *
     * <p>A platform thread without a frame runs no Java code at all. It was created by native code, which has called
     * Java code and may do so again, or never. A virtual thread has no frame before it begins.
     */
    static boolean isInGuards(Thread thread) {
        StackTraceElement[] trace = thread.getStackTrace();
        for (StackTraceElement frame : trace) {
            String name = frame.getClassName();
            if (name.equals(guard) || name.startsWith(PACKAGE)) {
                return true;
            }
        }
        return trace.length == 0 && thread.isVirtual();
    }
}
