package dev.percpu;

import java.util.Map;
import java.util.stream.Stream;

/** The library's thread that gives memory back, for tests that measure the heap. */
public final class DetachedThreads {
    private DetachedThreads() {}

    /**
     * Waits until the thread has its final code. The library composes that a moment after the first variable, and it
     * takes some memory.
     */
    public static void awaitFinalCode() throws InterruptedException {
        while (Thread.getAllStackTraces().entrySet().stream().noneMatch(DetachedThreads::waitsForReferences)) {
            Thread.sleep(1);
        }
    }

    /** Whether it waits, and none of the library's own code is on its stack. */
    private static boolean waitsForReferences(Map.Entry<Thread, StackTraceElement[]> thread) {
        return thread.getKey().getName().equals("percpu-area")
                && Stream.of(thread.getValue())
                        .anyMatch(frame -> frame.getClassName().equals("java.lang.ref.ReferenceQueue"))
                && Stream.of(thread.getValue())
                        .noneMatch(frame -> frame.getClassName().startsWith("dev.percpu"));
    }
}
