package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.HotThread;
import dev.percpu.testing.FarStores;
import dev.percpu.testing.Workers;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A thread adds to a tally in its own place, while its stores wait behind stores that miss the cache, and another
 * thread closes and opens the tally all the time. So whoever closes does not see an addition in time unless the heavy
 * fence makes the processor finish these first.
 *
 * @param added what all additions that succeeded came to
 * @param found what all closings found
 * @param late what was added after the closing that should have found it
 */
record LateAdditions(long added, long found, long late) {
    static LateAdditions of(int additions) throws InterruptedException {
        Tally tally = Tally.opened("LateAdditions");
        AtomicLong added = new AtomicLong();
        AtomicLong found = new AtomicLong();
        AtomicLong late = new AtomicLong();
        AtomicLong progress = new AtomicLong();
        AtomicBoolean done = new AtomicBoolean();
        HotThread.run(own -> {
            Thread closer = Thread.ofPlatform().start(() -> {
                while (!done.get()) {
                    found.addAndGet(tally.close());
                    awaitTwoMore(progress, done);
                    late.addAndGet(Math.abs(load(own + tally.position)
                            - load(own + tally.position + Tally.SUBTRACTED)
                            - load(own + tally.position + Tally.NOTED)));
                    tally.open();
                }
            });
            FarStores far = new FarStores(own);
            SplittableRandom random = new SplittableRandom(own);
            long sum = 0;
            for (int i = 1; i <= additions; i++) {
                far.store();
                long delta = random.nextBoolean() ? 2 : -1;
                if (tally.add(delta)) {
                    sum += delta;
                }
                progress.setOpaque(i);
            }
            added.set(sum);
            done.set(true);
            Workers.join(closer);
        });
        return new LateAdditions(added.get(), found.get() + tally.close(), late.get());
    }

    /** Until an addition that was under way is over, and one that began later. */
    @SuppressWarnings("ThreadPriorityCheck") // the owner may need the CPU
    private static void awaitTwoMore(AtomicLong progress, AtomicBoolean done) {
        long before = progress.get();
        while (progress.get() < before + 2 && !done.get()) {
            Thread.yield();
        }
    }

    private static long load(long offset) {
        return (long) Area.LONG.getVolatile(Area.MEMORY, offset);
    }
}
