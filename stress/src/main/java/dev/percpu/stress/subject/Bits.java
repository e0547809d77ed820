package dev.percpu.stress.subject;

import dev.percpu.DynamicNumeric;
import dev.percpu.PerCpuNumeric;
import dev.percpu.PerCpuRuntime;
import dev.percpu.cpu.CpuMask;
import dev.percpu.memory.NumericWidth;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.random.RandomGenerator;

/**
 * Bits that are set and cleared. Each belongs to one thread at a time, which knows in how many instances it is set.
 * Setting it on whatever CPU makes that the same or one more, and clearing it the same or one less. If no instance has
 * it, setting it must change that, and if all have it, clearing it must. Every other bit begins set on each CPU: there
 * may be CPUs that no thread gets to, and there a bit stays as it is.
 */
final class Bits implements Subject {
    private static final int TAKEN = -1;

    /** One for each possible CPU, and the spare slot, which no thread uses on the atomic back end. */
    private static final int INSTANCES =
            CpuMask.possible().weight() + (PerCpuRuntime.backend().equals("rseq") ? 1 : 0);

    private static final long EVERY_OTHER = 0x5555_5555_5555_5555L;

    private final DynamicNumeric word = PerCpuNumeric.create(NumericWidth.LONG, EVERY_OTHER);

    /** In how many instances each bit is set, or that it is taken. */
    private final AtomicIntegerArray set = new AtomicIntegerArray(Long.SIZE);

    Bits() {
        for (int number = 0; number < Long.SIZE; number++) {
            set.set(number, count(1L << number));
        }
    }

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

    /** Sets or clears the bit on this CPU; returns in how many instances it is set then. */
    private int change(int number, int before, boolean setting) {
        long bit = 1L << number;
        if (setting) {
            word.or(bit);
        } else {
            word.and(~bit);
        }
        int after = count(bit);
        int least = setting ? Math.max(before, 1) : Math.max(before - 1, 0);
        int most = setting ? Math.min(before + 1, INSTANCES) : Math.min(before, INSTANCES - 1);
        if (after < least || after > most) {
            throw new AssertionError("bit " + number + " was set in " + before + " instances, and is in " + after
                    + " after it was " + (setting ? "set" : "cleared") + " in one of " + INSTANCES);
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
            Subject.expect("instances in which bit " + number + " is set", set.get(number), count(1L << number));
        }
        word.close();
    }
}
