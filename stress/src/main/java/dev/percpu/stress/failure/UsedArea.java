package dev.percpu.stress.failure;

import dev.percpu.PerCpuRuntime;
import dev.percpu.stress.time.RunningTime;
import java.util.concurrent.TimeUnit;

/** How much of the per-CPU area is in use. What nobody can reach any more comes back after a garbage collection. */
final class UsedArea {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final long before;

    private UsedArea(long before) {
        this.before = before;
    }

    /** As it is now, when nothing comes back any more. */
    static UsedArea now() throws InterruptedException {
        long seen;
        long now = bytes();
        do {
            seen = now;
            System.gc();
            Thread.sleep(2);
            now = bytes();
        } while (now < seen);
        return new UsedArea(now);
    }

    /** Checks that no more is in use than when this was made, except for {@code more} bytes. */
    void checkNothingIsLost(long more) throws InterruptedException {
        RunningTime waited = new RunningTime();
        while (bytes() > before + more) {
            Trial.check(
                    waited.nanos() < PATIENCE_NANOS, bytes() - before - more + " bytes of each CPU's place are lost");
            System.gc();
            Thread.sleep(1);
        }
    }

    private static long bytes() {
        return PerCpuRuntime.area().usedBytesPerCpu();
    }
}
