package dev.percpu.internal.extern;

import dev.percpu.internal.area.Area;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;

/**
 * Another copy of {@code dev.percpu} in this process. An application that brings the library along has one, and after a
 * redeployment the new copy wants the C libraries' variables that the old one had. The old one lets go of them when the
 * garbage collector finds its class loader unreachable, which can be long after.
 */
final class OtherCopy {
    /** The first collection may leave something that only the next one finds. */
    private static final int COLLECTIONS = 3;

    /** How long the other copy may take to let go after each, which is not immediate on a busy machine. */
    private static final long LONGEST_WAIT = TimeUnit.MILLISECONDS.toNanos(500);

    /** After collections that did not help there are none for this many times as long as they took. */
    private static final long PAUSE_FACTOR = 20;

    /** Guarded by this class's lock. */
    private static long pausedUntil = System.nanoTime();

    private OtherCopy() {}

    /** Whether this copy's class loader can be collected. The JVM's own loaders cannot. */
    static boolean canThisOneBeUnloaded() {
        ClassLoader mine = OtherCopy.class.getClassLoader();
        if (mine == null) {
            return false;
        }
        // A loop: if a first call links lambdas, and the heap is full, it can fail for ever.
        for (ClassLoader own = ClassLoader.getSystemClassLoader(); own != null; own = own.getParent()) {
            if (own.equals(mine)) {
                return false;
            }
        }
        return true;
    }

    /**
     * Asks the garbage collector to find the other copy unreachable.
     *
     * @param library has the variables
     * @return false if the other copy keeps them, or if this one has them
     */
    static synchronized boolean awaitEnd(MemorySegment library) {
        long start = System.nanoTime();
        if (start - pausedUntil >= 0 && NativeLibrary.lender(library) != Area.BASE) {
            for (int i = 0; i < COLLECTIONS && NativeLibrary.lender(library) != 0; i++) {
                System.gc();
                awaitZero(library);
            }
            if (NativeLibrary.lender(library) != 0) {
                long now = System.nanoTime();
                pausedUntil = now + PAUSE_FACTOR * (now - start);
            }
        }
        return NativeLibrary.lender(library) == 0;
    }

    private static void awaitZero(MemorySegment library) {
        boolean interrupted = false;
        long start = System.nanoTime();
        while (NativeLibrary.lender(library) != 0 && System.nanoTime() - start < LONGEST_WAIT) {
            try {
                TimeUnit.MILLISECONDS.sleep(1);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
