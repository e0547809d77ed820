package dev.percpu.stress.failure;

import dev.percpu.CpuGuard;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;

/** Checks that every CPU's guard can be had by others, at once or after a while. */
final class GuardCheck {
    private final OtherThread other;
    private int recovered;

    GuardCheck(OtherThread other) {
        this.other = other;
    }

    /** After how many rounds a guard was not free at once, but could be had. */
    int recovered() {
        return recovered;
    }

    void check() throws Exception {
        if (!other.call("looking at the guards", GuardCheck::allFree)) {
            try {
                other.run("acquiring each CPU's guard", GuardCheck::acquireEach);
                recovered++;
            } catch (Violation e) {
                // So that the next round begins with free guards: what this thread has left behind it can free.
                acquireEach();
                throw e;
            }
        }
    }

    private static boolean allFree() {
        for (CpuId cpu : CpuMask.usable()) {
            try (CpuGuard guard = CpuGuard.tryAcquire(cpu)) {
                if (guard == null) {
                    return false;
                }
            }
        }
        return true;
    }

    private static void acquireEach() {
        for (CpuId cpu : CpuMask.usable()) {
            try (CpuGuard guard = CpuGuard.acquire(cpu)) {
                Trial.check(guard.cpu().equals(cpu), "asked for " + cpu + ", got " + guard);
            }
        }
    }
}
