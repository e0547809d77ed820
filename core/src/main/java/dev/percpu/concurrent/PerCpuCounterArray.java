package dev.percpu.concurrent;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.listing.Registry;
import dev.percpu.internal.listing.Values;
import dev.percpu.internal.protocol.AdjacentNumbers;
import dev.percpu.internal.protocol.Sums;
import dev.percpu.listing.Value;
import dev.percpu.memory.AreaFullException;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Many counters side by side, in one object: one for each label of a metric, each state, or each table of a database.
 * Each counter does what a {@link PerCpuCounter} does, and is reached by its index as in an {@link
 * java.util.concurrent.atomic.AtomicLongArray} of the JDK.
 *
 * <pre>{@code
 * static final PerCpuCounterArray RESPONSES = new PerCpuCounterArray("responses", 600);
 *
 * RESPONSES.increment(status);
 * long[] byStatus = RESPONSES.sums();
 * }</pre>
 *
 * <p>An addition is one restartable sequence, without a lock, an atomic instruction or contention. A counter takes 8
 * bytes for each CPU and for each hot thread, and nothing on the heap. If a CPU updates no counter of a page, that page
 * takes no memory there. The memory is given back once the array is unreachable. There is nothing to close.
 *
 * <p><b>Exactness.</b> Each update of a counter is in exactly one result of {@link #sumThenReset} or {@link
 * #sumsThenReset}, or in the sum that is left, even while threads update and others reset. A sum that is read during
 * updates is not an atomic snapshot: it includes every update that happened before the call, and some of those that
 * happen during it. Counters are read and reset one after the other, so a result can include an update of one counter
 * but not an earlier update of another.
 *
 * <p><b>Ordering.</b> Updates and sums are opaque and order nothing else. Resets happen one after the other.
 *
 * <p>Sums wrap around at 64 bits. Methods with an index throw {@link IndexOutOfBoundsException} if it is negative, or
 * not below {@link #length()}.
 */
public final class PerCpuCounterArray {
    /*
     * A reset subtracts what it has read, in the spare slot, as PerCpuCounter's does, which shows the interleavings.
     * There is one monitor for all counters. Resets are rare, and a lock for each would be another array.
     */
    static {
        // Not in the first update, which may come when the heap is full.
        Sums.initialize();
        Sums.initializePairs();
    }

    /** The name and the length, or what it is a part of. */
    private final String text;

    private final int length;

    /** Where the first counter lies in each CPU's place. */
    private final int position;

    /**
     * Creates an array of counters that are 0.
     *
     * @param length how many counters
     * @throws NegativeArraySizeException if the length is negative
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuCounterArray(int length) {
        this(new Label("a PerCpuCounterArray").ofLength(length), length);
    }

    /**
     * Creates an array of counters that are 0, and gives it a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @param length how many counters
     * @throws NegativeArraySizeException if the length is negative
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuCounterArray(String name, int length) {
        this(Label.named(name).ofLength(length), length);
        Registry.add(name, "PerCpuCounterArray", this, PerCpuCounterArray::values);
    }

    /**
     * Creates an array of counters that are 0, and gives names to it and to each of its counters. So a listing has the
     * value of each counter.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @param counters the counters' names, by index: not blank, and different from one another
     * @throws IllegalArgumentException if two counters have one name, or a name is blank
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuCounterArray(String name, List<String> counters) {
        Label label = Label.named(name);
        List<String> names = distinct(label, counters);
        this(label.ofLength(names.size()), names.size());
        // The function must not refer to this object.
        Registry.add(name, "PerCpuCounterArray", this, array -> array.values(names));
    }

    private static List<String> distinct(Label label, List<String> counters) {
        Set<String> names = new LinkedHashSet<>();
        for (String counter : counters) {
            if (!names.add(Registry.checkName(counter))) {
                throw new IllegalArgumentException(label.text() + ": two counters are named \"" + counter + '"');
            }
        }
        return List.copyOf(names);
    }

    /** @param label of this array, with its length, or of what it is a part of */
    PerCpuCounterArray(Label label, int length) {
        this.text = label.text();
        this.length = length;
        // An array of none takes a counter that is not used, since no piece of the area is empty.
        this.position = Area.allocateFor(this, Math.max(1L, length) * Long.BYTES, Long.BYTES, text);
    }

    /** How many counters there are. */
    public int length() {
        return length;
    }

    /** Adds the given value to a counter. Adding 0 does nothing. */
    public void add(int index, long delta) {
        Sums.add(this, position(index), delta);
    }

    /**
     * Adds to two counters, one after the other, as two calls of {@link #add(int, long)} would, but faster: a thread
     * without a place of its own makes one native call.
     */
    public void add(int index, long delta, int secondIndex, long secondDelta) {
        Sums.addTwo(this, position(index), delta, position(secondIndex), secondDelta);
    }

    /** Adds 1 to a counter. */
    public void increment(int index) {
        add(index, 1);
    }

    /** Subtracts 1 from a counter. */
    public void decrement(int index) {
        add(index, -1);
    }

    /** The sum of all updates of a counter since its last reset; not an atomic snapshot while there are updates. */
    public long sum(int index) {
        long counter = position(index);
        try {
            return Sums.sum(counter);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * The sums of all counters, by index, each as {@link #sum} returns it. This reads them CPU by CPU, which is much
     * faster than one counter after the other.
     */
    public long[] sums() {
        try {
            return AdjacentNumbers.sums(position, length);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** For a listing: all counters together. */
    private List<Value> values() {
        try {
            long[] totals = AdjacentNumbers.totals(position, length);
            return List.of(Values.sum("value", totals));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** For a listing: each counter with its name. */
    private List<Value> values(List<String> names) {
        try {
            List<Value> values = new ArrayList<>();
            for (int index = 0; index < length; index++) {
                long[] parts = AdjacentNumbers.totals(position(index), 1);
                values.add(Values.sum(names.get(index), parts));
            }
            return values;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Resets a counter: removes all updates that happened before the call, and perhaps some that happen during it. */
    public void reset(int index) {
        long _ = sumThenReset(index);
    }

    /**
     * Resets all counters: removes all updates that happened before the call, and perhaps some that happen during it.
     */
    public void reset() {
        long[] _ = sumsThenReset();
    }

    /**
     * Returns a counter's sum and resets the counter, in one step: exactly the updates in the result are no longer
     * in it.
     */
    public synchronized long sumThenReset(int index) {
        long sum = sum(index);
        subtract(index, sum);
        return sum;
    }

    /**
     * Returns the sums of all counters and resets them, each as {@link #sumThenReset} does. An update during the call
     * is in this result or left for the next one.
     */
    public synchronized long[] sumsThenReset() {
        long[] sums = sums();
        // An error comes before the first subtraction or not at all: the later ones allocate nothing, and take no more
        // stack than the first.
        for (int index = 0; index < length; index++) {
            subtract(index, sums[index]);
        }
        return sums;
    }

    void subtract(int index, long sum) {
        Sums.subtract(this, position(index), sum);
    }

    /** The index that an event was given, if there is such a counter. */
    int checkIndex(long index) {
        if (index < 0 || index >= length) {
            throw outOfBounds(index);
        }
        return (int) index;
    }

    /** The position of a counter. */
    long position(int index) {
        // One comparison, as in Objects.checkIndex, whose message would not say which array.
        if (Integer.compareUnsigned(index, length) >= 0) {
            throw outOfBounds(index);
        }
        return position + (long) index * Long.BYTES;
    }

    private IndexOutOfBoundsException outOfBounds(long index) {
        return new IndexOutOfBoundsException("index " + index + " is out of bounds for " + this);
    }

    /** The name and the length. */
    @Override
    public String toString() {
        return text;
    }
}
