package dev.percpu.stress.subject;

import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;

/** Counters that are reset all the time: each update is in the result of exactly one reset. */
final class Counters implements Subject {
    private final PerCpuCounter longs = new PerCpuCounter();
    private final LongAdder longsAdded = new LongAdder();
    private final LongAdder longsTaken = new LongAdder();
    private final PerCpuDoubleCounter halves = new PerCpuDoubleCounter();
    private final LongAdder halvesAdded = new LongAdder();
    private final LongAdder halvesTaken = new LongAdder();

    @Override
    public int use(RandomGenerator random) {
        int burst = random.nextInt(1, LONGEST_BURST);
        return switch (random.nextInt(8)) {
            case 0 -> reset(burst / 4);
            case 1 -> resetHalves(burst / 4);
            case 2, 3, 4 -> add(random.nextInt(-100, 100), burst);
            default -> addHalves(burst);
        };
    }

    /** Several in a row, so that resets meet each other. */
    private int reset(int burst) {
        for (int i = 0; i < burst; i++) {
            longsTaken.add(longs.sumThenReset());
        }
        return burst;
    }

    private int resetHalves(int burst) {
        for (int i = 0; i < burst; i++) {
            halvesTaken.add((long) (2 * halves.sumThenReset()));
        }
        return burst;
    }

    private int add(long delta, int burst) {
        for (int i = 0; i < burst; i++) {
            longs.add(delta);
            longs.increment();
            longs.increment();
            longs.decrement();
        }
        longsAdded.add(burst * (delta + 1));
        return 4 * burst;
    }

    private int addHalves(int burst) {
        for (int i = 0; i < burst; i++) {
            halves.add(0.5);
        }
        halvesAdded.add(burst);
        return burst;
    }

    @Override
    public void verify() {
        Subject.expect("counter", longsAdded.sum(), longsTaken.sum() + longs.sumThenReset());
        Subject.expect("counter after its reset", 0, longs.sum());
        Subject.expect("halves", halvesAdded.sum(), halvesTaken.sum() + (long) (2 * halves.sumThenReset()));
    }
}
