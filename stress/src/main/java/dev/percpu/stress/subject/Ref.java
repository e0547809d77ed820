package dev.percpu.stress.subject;

import dev.percpu.concurrent.PerCpuRef;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;

/** A thing that is used, released and brought back to life: released once in each life, and never while it is used. */
final class Ref implements Subject {
    private final PerCpuRef ref = new PerCpuRef(this::release);

    /** Held by who ends or begins a life. */
    private final ReentrantLock lives = new ReentrantLock();

    private final AtomicLong kills = new AtomicLong();
    private final AtomicLong releases = new AtomicLong();

    private volatile boolean released;

    private void release() {
        Subject.expect(!released, "released twice");
        released = true;
        releases.incrementAndGet();
    }

    @Override
    public int use(RandomGenerator random) {
        int burst = random.nextInt(1, LONGEST_BURST);
        return switch (random.nextInt(16)) {
            case 0 -> endLife();
            case 1 -> beginLife();
            case 2 -> changeMind();
            case 3, 4, 5 -> hold(burst);
            case 6, 7, 8 -> useWhileHeld(burst);
            default -> useLive(burst);
        };
    }

    private int useLive(int burst) {
        for (int i = 0; i < burst; i++) {
            if (ref.tryGetLive()) {
                checkNotReleased();
                ref.put();
            }
        }
        return 2 * burst;
    }

    /** Takes references, and gives them back only then. */
    private int hold(int burst) {
        int held = 0;
        for (int i = 0; i < burst; i++) {
            if (ref.tryGet()) {
                held++;
            }
        }
        for (int i = 0; i < held; i++) {
            checkNotReleased();
            ref.put();
        }
        return burst + held;
    }

    private int useWhileHeld(int burst) {
        if (!ref.tryGet()) {
            return 1;
        }
        for (int i = 0; i < burst; i++) {
            ref.get();
            checkNotReleased();
            ref.put();
        }
        ref.put();
        return 2 + 2 * burst;
    }

    private void checkNotReleased() {
        Subject.expect(!released, "released while somebody has a reference");
    }

    private int endLife() {
        if (lives.tryLock()) {
            try {
                if (!ref.isKilled()) {
                    // Before, as the release may come at once; and nobody else kills.
                    kills.incrementAndGet();
                    Subject.expect(ref.kill(), "somebody else has killed it");
                }
            } finally {
                lives.unlock();
            }
        }
        return 1;
    }

    private int beginLife() {
        if (lives.tryLock()) {
            try {
                // The count is zero a moment before the release action has run.
                if (released) {
                    released = false;
                    ref.reinit();
                }
            } finally {
                lives.unlock();
            }
        }
        return 1;
    }

    private int changeMind() {
        if (lives.tryLock()) {
            try {
                if (ref.isKilled() && ref.resurrect()) {
                    kills.decrementAndGet();
                }
            } finally {
                lives.unlock();
            }
        }
        return 1;
    }

    @Override
    public void verify() {
        int _ = endLife();
        Subject.expect("releases", kills.get(), releases.get());
        Subject.expect("killed, unused and not zero", 1, ref.isZero() ? 1 : 0);
    }
}
