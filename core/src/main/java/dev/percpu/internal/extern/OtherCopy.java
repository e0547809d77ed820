package dev.percpu.internal.extern;

import dev.percpu.internal.area.Area;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

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
        return mine != null
                && Stream.iterate(ClassLoader.getSystemClassLoader(), Objects::nonNull, ClassLoader::getParent)
                        .noneMatch(mine::equals);
    }

    /**
     * Asks the garbage collector to find the other copy unreachable.
     *
     * @param lender the address of the area that has the variables; 0 once its copy has let go of them
     * @return false if the other copy keeps them, or if this one has them
     */
    static synchronized boolean awaitEnd(LongSupplier lender) {
        long start = System.nanoTime();
        if (start - pausedUntil >= 0 && lender.getAsLong() != Area.BASE) {
            for (int i = 0; i < COLLECTIONS && lender.getAsLong() != 0; i++) {
                System.gc();
                awaitZero(lender);
            }
            if (lender.getAsLong() != 0) {
                long now = System.nanoTime();
                pausedUntil = now + PAUSE_FACTOR * (now - start);
            }
        }
        return lender.getAsLong() == 0;
    }

    private static void awaitZero(LongSupplier lender) {
        boolean interrupted = false;
        long start = System.nanoTime();
        while (lender.getAsLong() != 0 && System.nanoTime() - start < LONGEST_WAIT) {
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
