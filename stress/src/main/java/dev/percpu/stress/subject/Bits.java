package dev.percpu.stress.subject;

import dev.percpu.DynamicNumeric;
import dev.percpu.PerCpuNumeric;
import dev.percpu.memory.NumericWidth;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.random.RandomGenerator;

/**
 * Bits that are set and cleared. Each belongs to one thread at a time, which knows on how many CPUs it is set: setting
 * it on whatever CPU makes that the same or one more, and clearing it the same or one less.
 */
final class Bits implements Subject {
    private static final int TAKEN = -1;

    private final DynamicNumeric word = PerCpuNumeric.create(NumericWidth.LONG);

    /** On how many CPUs each bit is set, or that it is taken. */
    private final AtomicIntegerArray set = new AtomicIntegerArray(Long.SIZE);

    @Override
    public int use(RandomGenerator random) {
        int number = random.nextInt(Long.SIZE);
        int count = set.getAndSet(number, TAKEN);
        if (count == TAKEN) {
            return 0;
        }
        int burst = random.nextInt(1, LONGEST_BURST);
        for (int i = 0; i < burst; i++) {
            count = change(number, count, random.nextBoolean());
        }
        set.set(number, count);
        return burst;
    }

    /** Sets or clears the bit on this CPU; returns on how many it is set then. */
    private int change(int number, int before, boolean setting) {
        long bit = 1L << number;
        if (setting) {
            word.or(bit);
        } else {
            word.and(~bit);
        }
        int after = count(bit);
        int most = setting ? before + 1 : before;
        int least = setting ? Math.max(before, 1) : Math.max(before - 1, 0);
        if (after < least || after > most) {
            throw new AssertionError("bit " + number + " was set on " + before + " CPUs, and is on " + after
                    + " after it was " + (setting ? "set" : "cleared") + " on one");
        }
        return after;
    }

    private int count(long bit) {
        int count = (word.elsewhere() & bit) == 0 ? 0 : 1;
        for (long instance : word.snapshot()) {
            if ((instance & bit) != 0) {
                count++;
            }
        }
        return count;
    }

    @Override
    public void verify() {
        for (int number = 0; number < Long.SIZE; number++) {
            Subject.expect("CPUs on which bit " + number + " is set", set.get(number), count(1L << number));
        }
        word.close();
    }
}
