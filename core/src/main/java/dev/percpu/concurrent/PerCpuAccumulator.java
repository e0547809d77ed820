package dev.percpu.concurrent;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.internal.listing.Registry;
import dev.percpu.internal.listing.Values;
import dev.percpu.internal.protocol.Gate;
import dev.percpu.internal.protocol.GatedNumbers;
import dev.percpu.internal.protocol.NotInlined;
import dev.percpu.internal.protocol.Numbers;
import dev.percpu.internal.protocol.OwnNumbers;
import dev.percpu.internal.protocol.StackRoom;
import dev.percpu.listing.Value;
import dev.percpu.memory.AreaFullException;
import java.io.Serial;
import java.io.Serializable;
import java.lang.ref.Reference;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongBinaryOperator;
import java.util.function.LongFunction;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * A {@code long} that many threads combine values into, such as a maximum. It has the methods of a
 * {@link java.util.concurrent.atomic.LongAccumulator}, and a part of its value on each CPU.
 *
 * <pre>{@code
 * static final PerCpuAccumulator LONGEST = PerCpuAccumulator.maximum("longest");
 *
 * LONGEST.accumulate(System.nanoTime() - start);
 * long nanos = LONGEST.getThenReset();
 * }</pre>
 *
 * <p>The function must be associative and commutative. It must have no side effects, since it may be called again for
 * the same values. Combining a value with the identity must give that value. The order in which values are combined is
 * not defined. For sums, use a {@link PerCpuCounter}: it needs one sequence instead of two.
 *
 * <p>A value that changes nothing, such as one below the maximum, usually costs a read and a call of the function, and
 * at most one restartable sequence. Any other value costs two sequences. A hot platform thread has a place of its own,
 * and makes one atomic instruction there instead. An accumulator takes 8 bytes for each CPU and for each such thread,
 * which it gives back once it is unreachable.
 *
 * <p><b>Exactness.</b> Each value is combined into exactly one result of {@link #getThenReset()}, or into what is left,
 * even while other threads accumulate and reset. ({@code LongAccumulator} promises this only without concurrent
 * updates.) With a maximum, a value that does not exceed an earlier one counts as part of the result that has the
 * earlier one. A result that is taken during updates or a reset is not an atomic snapshot.
 *
 * <p>A reset costs a system call that interrupts the other CPUs for a moment. Meanwhile, threads without a place of
 * their own combine their values into one that they share.
 *
 * <p><b>Ordering.</b> Updates and reads are opaque, and order nothing else. An accumulator serializes as its value,
 * identity and function, if the function is serializable.
 */
public final class PerCpuAccumulator extends AreaNumber {
    // This file is longer than others: comments describe the interleavings where it combines the values.

    /*
     * A number is kept as the bits in which it differs from the identity, so that zeroed memory is the identity.
     * Setting the identity on each CPU would make a page on each, and on the wrong node.
     *
     * Accumulating reads the current CPU's number, applies the function, and compares and exchanges. If the thread has
     * moved between the two, the number of another CPU is compared with what was read on the first. If they are the
     * same, the new number is right there too. If the exchange is not done, because the number differs, the gate is
     * shut, or the thread has no CPU id, the value is combined into the spare slot. That is right in each case, and the
     * first two are rare. So the code need not tell them apart, and has no loop.
     *
     *   thread T on CPU 1                         others
     *   1. reads 7, the maximum of it and 9 is 9
     *                                             2. a thread on CPU 1 makes it 8
     *   3. compares 7 with 8: not done
     *   4. combines 9 into the spare slot
     *
     * A value may be combined into any slot. So if the spare slot's number absorbs it, there is nothing left to do, and
     * no native call. It does not matter whether a reset takes the spare slot meanwhile:
     *
     *   thread T                                  resetting thread R
     *   1. reads 9 in the spare slot; the
     *      maximum of it and 5 is 9
     *                                             2. takes 9 from the spare slot, and returns 9
     *   3. returns: 5 went where 9 went
     *
     * If R had taken the 9 before 1, T would have read 0, the identity. T reads the spare slot because threads seldom
     * write near it. The number of another CPU would be as right, but its cache line has other numbers, which that CPU
     * writes all the time.
     *
     * So the spare slot should have a number that absorbs much. If the current CPU's number absorbs a value and the
     * spare slot's does not, the value is combined into the spare slot too, one time in 16. (If that happened each
     * time, CPUs would contend for the slot while values rise below a maximum.) It must be the value itself. The CPU's
     * number absorbs more, but it may be in the result of a reset by then, and would be in the next result again.
     *
     * A sum absorbs nothing but its identity. So a thread looks at the spare slot first only if the function is known
     * to absorb, or a CPU's number has absorbed another value.
     *
     * A hot platform thread has a number in its own place, in place of the CPU's: see OwnNumbers. It looks at the spare
     * slot first, too, since that takes fewer instructions than to find its place.
     */
    private static final Numbers NUMBERS = Numbers.CURRENT;
    private static final GatedNumbers GATED_NUMBERS = GatedNumbers.CURRENT;

    @Serial
    private static final long serialVersionUID = 1;

    static {
        // Not in the first reset, or update that changes nothing, which may come when the heap is full.
        Gate.initialize();
        StackRoom _ = StackRoom.CURRENT;
        ThreadLocalRandom _ = ThreadLocalRandom.current();
        OwnNumbers.initialize();
        WithoutOwnPlace.initialize();
    }

    private final transient LongBinaryOperator function;
    private final transient long identity;

    /** Whether to look at the spare slot first: see above. Races do no harm, as either way is right. */
    private transient boolean absorbs;

    /** What resets took before their function threw. Written with the lock, and read without it, as the numbers are. */
    private transient volatile @Nullable Uncombined uncombined;

    /** A power of two: see above. */
    private static final int ONE_IN = 16;

    /** Numbers that were taken from their CPUs, and are in no result yet. */
    private static final class Uncombined {
        /** One of each place that has been opened by now. */
        private final long[] numbers = new long[Area.places()];

        /** What earlier calls took, combined. */
        private long earlier;

        private @Nullable Uncombined next;
    }

    /**
     * Creates an accumulator that has the identity's value.
     *
     * @param accumulatorFunction combines two values
     * @param identity the value that, combined with any other value, gives that other value
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuAccumulator(LongBinaryOperator accumulatorFunction, long identity) {
        this(new Label("a PerCpuAccumulator"), accumulatorFunction, identity);
    }

    /**
     * Creates an accumulator that has the identity's value, and a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @param accumulatorFunction combines two values
     * @param identity the value that, combined with any other value, gives that other value
     * @throws AreaFullException if the per-CPU area is full
     */
    public PerCpuAccumulator(String name, LongBinaryOperator accumulatorFunction, long identity) {
        this(Label.named(name), accumulatorFunction, identity);
        Registry.add(name, "PerCpuAccumulator", this, accumulator -> accumulator.values(Long::valueOf));
    }

    /**
     * Creates an accumulator of the greatest value, which is {@link Long#MIN_VALUE} as long as there is none.
     * An event updates it together with its other variables: {@link
     * EventBuilder#accumulate(PerCpuAccumulator, PerCpuEvent.Argument)}.
     *
     * @throws AreaFullException if the per-CPU area is full
     */
    public static PerCpuAccumulator maximum() {
        return new PerCpuAccumulator(Extreme.GREATEST, Extreme.GREATEST.identity);
    }

    /**
     * {@link #maximum()} with a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @throws AreaFullException if the per-CPU area is full
     */
    public static PerCpuAccumulator maximum(String name) {
        return new PerCpuAccumulator(name, Extreme.GREATEST, Extreme.GREATEST.identity);
    }

    /**
     * Creates an accumulator of the least value, which is {@link Long#MAX_VALUE} as long as there is none. An event can
     * update it, as it can an accumulator made by {@link #maximum()}.
     *
     * @throws AreaFullException if the per-CPU area is full
     */
    public static PerCpuAccumulator minimum() {
        return new PerCpuAccumulator(Extreme.LEAST, Extreme.LEAST.identity);
    }

    /**
     * {@link #minimum()} with a name.
     *
     * @param name for messages and listings, not blank; it need not be unique
     * @throws AreaFullException if the per-CPU area is full
     */
    public static PerCpuAccumulator minimum(String name) {
        return new PerCpuAccumulator(name, Extreme.LEAST, Extreme.LEAST.identity);
    }

    /** @param label of this accumulator, or of what it is a part of */
    PerCpuAccumulator(Label label, LongBinaryOperator accumulatorFunction, long identity) {
        super(label.text(), Long.BYTES, Long.BYTES);
        this.function = Objects.requireNonNull(accumulatorFunction, "accumulatorFunction");
        this.identity = identity;
        absorbs = function instanceof Extreme;
    }

    /** The function, if an event can apply it without a call of Java code. */
    @Nullable
    Extreme extreme() {
        return function instanceof Extreme extreme && identity == extreme.identity ? extreme : null;
    }

    /** Combines a value into this one. */
    public void accumulate(long x) {
        if (absorbs) {
            long spare = read(Area.SPARE);
            if (combined(spare, x) == spare) {
                return;
            }
        }
        combine(x);
    }

    @SuppressWarnings("ReachabilityFenceUsage") // if the function throws, there is no store after that
    private void combine(long x) {
        if (OwnPlaces.hasMine()) {
            if (!OwnNumbers.combine(position(), function, identity, x)) {
                absorbed(x);
            }
            Reference.reachabilityFence(this);
        } else if (OwnPlaces.isNeverMine()) {
            combineOnCpu(x);
        } else {
            WithoutOwnPlace.combineOnCpu(this, x);
        }
    }

    private void combineOnCpu(long x) {
        try {
            long old = NUMBERS.read(position());
            long next = combined(old, x);
            if (next == old) {
                absorbed(x);
            } else if (!GATED_NUMBERS.compareAndSet(position(), old, next)) {
                accumulateSpare(x);
            }
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** A number has absorbed a value that the spare slot's did not. */
    private void absorbed(long x) {
        if (!absorbs && x != identity) {
            absorbs = true;
        }
        if (ThreadLocalRandom.current().nextInt(ONE_IN) == 0) {
            accumulateSpare(x);
        }
    }

    private void accumulateSpare(long x) {
        long old;
        long next;
        do {
            old = read(Area.SPARE);
            next = combined(old, x);
        } while (next != old && !Numbers.compareAndSetSpare(position(), old, next));
    }

    /** A number after a value has been combined into it. */
    private long combined(long number, long x) {
        return function.applyAsLong(number ^ identity, x) ^ identity;
    }

    /**
     * Combines a value into the number of the thread's own place. This is a maximum or a minimum.
     *
     * @param own where the place begins
     * @param extreme which of the two, a constant in each caller
     */
    void accumulateIn(long own, long x, Extreme extreme) {
        OwnNumbers.raise(own, position(), x ^ extreme.identity);
    }

    /** The value that the accumulator has as long as nothing else was accumulated. */
    public long identity() {
        return identity;
    }

    /** All values since the last reset, combined; not an atomic snapshot while there are updates or resets. */
    public long get() {
        try {
            return combined(combinedFrom(0), uncombined);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** The numbers of all places from the given one on, combined. */
    private long combinedFrom(int firstPlace) {
        long result = identity;
        int places = Area.places();
        for (int place = firstPlace; place < places; place++) {
            result = function.applyAsLong(result, read(place) ^ identity);
        }
        return result;
    }

    /**
     * For a listing.
     *
     * @param number what the bits of a value stand for
     */
    List<Value> values(LongFunction<Number> number) {
        try {
            List<Number> perCpu = LongStream.of(readAll())
                    .mapToObj(bits -> number.apply(bits ^ identity))
                    .toList();
            return List.of(Values.of("value", number.apply(get()), perCpu, number.apply(combinedFrom(Area.SPARE))));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Removes all values that were accumulated before the call, and perhaps some that are accumulated during it. If
     * another thread is in {@link #getThenReset} and the function throws there, what that call had taken comes back.
     */
    public void reset() {
        // Between the two steps, what is taken would only be half of the value.
        StackRoom.CURRENT.ensure();
        takeAll(new long[Area.places()]);
        Uncombined _ = takeUncombined();
    }

    /**
     * Returns the value and resets, in one step: exactly the values in the result are no longer in the accumulator. If
     * the function throws, no value is lost: all of them stay in the accumulator.
     */
    public long getThenReset() {
        // The function is the user's code, and may overflow the stack. Putting the numbers back then needs room, too.
        StackRoom.CURRENT.ensure();
        // It runs when nothing is locked, after the numbers were taken. The array for them is allocated before.
        Uncombined taken = new Uncombined();
        Uncombined left = takeUncombined();
        try {
            // First what earlier calls took: if the function throws again, no more is taken. So there is one array for
            // each thread that calls this at a time, however often it throws.
            taken.earlier = combined(identity, left) ^ identity;
            left = taken;
            takeAll(taken.numbers);
            long result = combined(identity, taken);
            left = null;
            return result;
        } finally {
            if (left != null) {
                putBack(left);
            }
        }
    }

    private long combined(long value, @Nullable Uncombined numbers) {
        long result = value;
        for (Uncombined some = numbers; some != null; some = some.next) {
            result = function.applyAsLong(result, some.earlier ^ identity);
            for (long number : some.numbers) {
                result = function.applyAsLong(result, number ^ identity);
            }
        }
        return result;
    }

    /** With the lock, since only one thread at a time may take numbers. */
    private synchronized void takeAll(long[] taken) {
        try {
            GatedNumbers.takeAll(position(), taken);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private synchronized @Nullable Uncombined takeUncombined() {
        Uncombined taken = uncombined;
        uncombined = null;
        return taken;
    }

    private synchronized void putBack(Uncombined taken) {
        Uncombined last = taken;
        while (last.next != null) {
            last = last.next;
        }
        last.next = uncombined;
        uncombined = taken;
    }

    /** The value: {@link #get()}. */
    @Override
    public long longValue() {
        return get();
    }

    @Serial
    private Object writeReplace() {
        return new Serialized(get(), identity, function);
    }

    /** What goes into a stream. */
    @SuppressWarnings("serial") // the function is as serializable as its author made it
    private record Serialized(long value, long identity, LongBinaryOperator function) implements Serializable {
        @Serial
        private Object readResolve() {
            PerCpuAccumulator accumulator = new PerCpuAccumulator(function, identity);
            accumulator.accumulate(value);
            return accumulator;
        }
    }

    /** What a thread without an own place does. */
    @SuppressWarnings("serial") // there are no objects of it
    private static final class WithoutOwnPlace extends NotInlined {
        static void initialize() {
            // Calling this is enough.
        }

        static void combineOnCpu(PerCpuAccumulator accumulator, long x) {
            OwnPlaces.missed();
            accumulator.combineOnCpu(x);
        }
    }
}
