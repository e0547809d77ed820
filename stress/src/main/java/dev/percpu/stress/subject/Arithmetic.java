package dev.percpu.stress.subject;

import dev.percpu.DynamicDouble;
import dev.percpu.DynamicNumeric;
import dev.percpu.PerCpuDouble;
import dev.percpu.PerCpuNumeric;
import dev.percpu.memory.NumericWidth;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;

/** Arithmetic of each width, without a guard: what is added, and exchanged, is there in the end. */
final class Arithmetic implements Subject {
    private static final NumericWidth[] WIDTHS = NumericWidth.values();

    private final DynamicNumeric[] numbers = new DynamicNumeric[WIDTHS.length];
    private final DynamicNumeric[] exchanged = new DynamicNumeric[WIDTHS.length];
    private final LongAdder[] added = new LongAdder[WIDTHS.length];

    /** What was put in, less what came out. */
    private final LongAdder[] inside = new LongAdder[WIDTHS.length];

    private final DynamicDouble halves = PerCpuDouble.create(0);
    private final LongAdder halvesAdded = new LongAdder();

    Arithmetic() {
        for (int i = 0; i < WIDTHS.length; i++) {
            numbers[i] = PerCpuNumeric.create(WIDTHS[i]);
            exchanged[i] = PerCpuNumeric.create(WIDTHS[i]);
            added[i] = new LongAdder();
            inside[i] = new LongAdder();
        }
    }

    @Override
    public int use(RandomGenerator random) {
        int burst = random.nextInt(1, LONGEST_BURST);
        int width = random.nextInt(WIDTHS.length);
        switch (random.nextInt(6)) {
            case 0 -> add(width, random.nextInt(-100, 100), burst);
            case 1 -> step(width, burst);
            case 2 -> addAndGet(width, random.nextInt(1000), burst);
            case 3 -> compareAndExchange(width, burst);
            case 4 -> exchange(width, random.nextInt(), burst);
            default -> addHalves(burst);
        }
        return burst;
    }

    private void add(int width, long delta, int burst) {
        for (int i = 0; i < burst; i++) {
            numbers[width].add(delta);
        }
        added[width].add(burst * delta);
    }

    private void step(int width, int burst) {
        for (int i = 0; i < burst; i++) {
            if (i % 3 == 0) {
                numbers[width].decrement();
            } else {
                numbers[width].increment();
            }
        }
        int decrements = (burst + 2) / 3;
        added[width].add(burst - 2L * decrements);
    }

    private void addAndGet(int width, long delta, int burst) {
        for (int i = 0; i < burst; i++) {
            long _ = numbers[width].addAndGet(delta);
        }
        added[width].add(burst * delta);
    }

    private void compareAndExchange(int width, int burst) {
        PerCpuNumeric number = numbers[width];
        for (int i = 0; i < burst; i++) {
            long seen = number.get();
            for (long found; (found = number.compareAndExchange(seen, seen + 1)) != seen; seen = found) {}
        }
        added[width].add(burst);
    }

    private void exchange(int width, long first, int burst) {
        long in = 0;
        long out = 0;
        for (int i = 0; i < burst; i++) {
            long value = first + i;
            in += value;
            out += exchanged[width].getAndSet(value);
        }
        inside[width].add(in - out);
    }

    private void addHalves(int burst) {
        for (int i = 0; i < burst; i++) {
            halves.add(0.5);
        }
        halvesAdded.add(burst);
    }

    @Override
    public void verify() {
        for (int i = 0; i < WIDTHS.length; i++) {
            NumericWidth width = WIDTHS[i];
            Subject.expect("sum of " + width, width.wrap(added[i].sum()), width.wrap(numbers[i].sum()));
            Subject.expect("exchanged " + width, width.wrap(inside[i].sum()), width.wrap(exchanged[i].sum()));
            numbers[i].close();
            exchanged[i].close();
        }
        // Halves are exact up to 2^52.
        Subject.expect("halves", halvesAdded.sum(), (long) (halves.sum() * 2));
        halves.close();
    }
}
