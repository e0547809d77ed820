package dev.percpu.stress.subject;

import dev.percpu.CpuGuard;
import dev.percpu.DynamicPerCpu;
import dev.percpu.NumericCell;
import dev.percpu.PerCpuNumeric;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.memory.NumericWidth;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;

/**
 * Guards of the current CPU and of others, nested and not, some of owners that end without closing them; and numbers
 * that owners and guarded sequences change at the same time.
 */
public final class Guards implements Subject {
    /** One use in so many starts a thread that ends with a guard open. */
    private static final int DEATHS = 4000;

    private static final LongAdder DEAD_OWNERS = new LongAdder();

    private final List<CpuId> cpus =
            CpuMask.possible().ids().mapToObj(CpuId::of).toList();
    private final DynamicPerCpu<Pair> pairs = DynamicPerCpu.createWith(Pair::new);
    private final DynamicPerCpu<NumericCell> cells = DynamicPerCpu.createNumeric(NumericWidth.LONG, 0);
    private final PerCpuNumeric guarded = PerCpuNumeric.of(cells);
    private final LongAdder increments = new LongAdder();
    private final LongAdder added = new LongAdder();

    /** Two plain fields that agree whenever somebody has the guard. */
    private static final class Pair {
        private long first;
        private long second;

        private void increment() {
            if (first != second) {
                throw new AssertionError("two owners: the fields are " + first + " and " + second);
            }
            first++;
            Thread.onSpinWait();
            second++;
        }
    }

    /** How many threads have ended with a guard open so far. */
    public static long deadOwners() {
        return DEAD_OWNERS.sum();
    }

    @Override
    public int use(RandomGenerator random) throws InterruptedException {
        if (random.nextInt(DEATHS) == 0) {
            dieAsOwner(random.nextBoolean());
            return 1;
        }
        int burst = random.nextInt(1, LONGEST_BURST);
        return switch (random.nextInt(6)) {
            case 0 -> own(burst);
            case 1 -> ownNested(burst);
            case 2 -> ownIfFree(burst);
            case 3 -> ownOther(cpus.get(random.nextInt(cpus.size())));
            default -> addGuarded(random.nextInt(-100, 100), burst);
        };
    }

    private int own(int burst) {
        for (int i = 0; i < burst; i++) {
            try (CpuGuard guard = CpuGuard.acquire()) {
                change(guard);
            }
        }
        return burst;
    }

    private int ownNested(int burst) {
        for (int i = 0; i < burst; i++) {
            try (CpuGuard guard = CpuGuard.acquire()) {
                change(guard);
                try (CpuGuard nested = CpuGuard.acquire()) {
                    if (!nested.cpu().equals(guard.cpu())) {
                        // Moved meanwhile, to a CPU that was free.
                        change(nested);
                    }
                }
            }
        }
        return 2 * burst;
    }

    private int ownIfFree(int burst) {
        for (int i = 0; i < burst; i++) {
            try (CpuGuard guard = CpuGuard.tryAcquire()) {
                if (guard != null) {
                    change(guard);
                }
            }
        }
        return burst;
    }

    private int ownOther(CpuId cpu) {
        try (CpuGuard guard = CpuGuard.acquire(cpu)) {
            Subject.expect(guard.cpu().equals(cpu), "asked for " + cpu + ", got " + guard.cpu());
            change(guard);
        }
        return 1;
    }

    private void change(CpuGuard guard) {
        pairs.getMut(guard).run(Pair::increment);
        increments.increment();
        cells.getMut(guard).run(cell -> cell.add(1));
        added.increment();
    }

    private int addGuarded(long delta, int burst) {
        for (int i = 0; i < burst; i++) {
            if (i % 8 == 0) {
                long _ = guarded.addAndGet(delta);
            } else {
                guarded.add(delta);
            }
        }
        added.add(burst * delta);
        return burst;
    }

    /** What it changed is whole, so whoever takes the CPU over finds it in order. */
    @SuppressWarnings("MustBeClosedChecker") // that is the point
    private void dieAsOwner(boolean virtual) throws InterruptedException {
        Helper owner = Helper.start(
                virtual ? Thread.ofVirtual() : Thread.ofPlatform().name("stress-dying"),
                () -> change(CpuGuard.acquire()));
        owner.join();
        // One that failed may have had no guard to leave behind.
        owner.check();
        DEAD_OWNERS.increment();
    }

    @Override
    public void verify() {
        // Takes over what dead owners have left.
        long total = 0;
        for (CpuId cpu : cpus) {
            try (CpuGuard guard = CpuGuard.acquire(cpu)) {
                total += pairs.getMut(guard).with(pair -> {
                    Subject.expect("second field of " + cpu, pair.first, pair.second);
                    return pair.first;
                });
            }
        }
        Subject.expect("increments", increments.sum(), total);
        Subject.expect("guarded number", added.sum(), guarded.sum());
        pairs.close();
        cells.close();
    }
}
