package dev.percpu.stress.subject;

import dev.percpu.concurrent.PerCpuBoundedCounter;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;

/** A quota: nobody spends above the limit, and what is spent and given back adds up. */
final class BoundedCounter implements Subject {
    private final PerCpuBoundedCounter counter;
    private final long limit;

    /** Never more than the counter's value: added to after it, and subtracted from before it. */
    private final AtomicLong spent = new AtomicLong();

    BoundedCounter(RandomGenerator random) {
        counter = new PerCpuBoundedCounter(1 << random.nextInt(8));
        limit = 1L << random.nextInt(4, 16);
    }

    @Override
    public int use(RandomGenerator random) {
        int burst = random.nextInt(1, LONGEST_BURST);
        long amount = random.nextInt(4);
        long mine = 0;
        int granted = 0;
        for (int i = 0; i < burst; i++) {
            if (counter.tryAdd(amount, limit)) {
                granted++;
                mine += amount;
                long now = spent.addAndGet(amount);
                Subject.expect(now <= limit, "spent " + now + " of " + limit);
            }
        }
        if (random.nextInt(16) == 0) {
            long sum = counter.sum();
            Subject.expect(sum <= limit, "the sum is " + sum + ", above the limit of " + limit);
        }
        // At times something stays, until the limit is near.
        if (random.nextInt(4) != 0 || spent.get() > limit - limit / 8) {
            giveBack(mine, granted);
        }
        return 2 * burst;
    }

    /** Gives an amount back in a few pieces. */
    private void giveBack(long amount, int pieces) {
        long left = amount;
        for (int i = 0; i < pieces && left > 0; i++) {
            long piece = i == pieces - 1 ? left : Math.min(left, 1 + amount / pieces);
            spent.addAndGet(-piece);
            counter.sub(piece);
            left -= piece;
        }
    }

    @Override
    public void verify() {
        Subject.expect("bounded counter", spent.get(), counter.sum());
        Subject.expect("compared with its value", 0, counter.compareValueTo(spent.get()));
        long room = limit - spent.get();
        Subject.expect(counter.tryAdd(room, limit), "the rest of " + room + " is refused");
        Subject.expect(!counter.tryAdd(1, limit), "one more than the limit is granted");
    }
}
