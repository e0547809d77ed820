package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.stream.LongStream;

/** Numbers of 64 bits that lie side by side in each place, and their sums over all places. */
public final class AdjacentNumbers {
    /*
     * A place is copied, part by part, and added to the sums. Both run at the speed of the cache, where one opaque read
     * for each number took ten times as long. No number is torn: addresses and lengths are multiples of 8 bytes, and
     * then such a copy is made in units of 8 bytes or more, each read in one step. HotSpot promises that of the method
     * that copies (Unsafe.copyMemory: "the transfer takes place in 'long' units"), and copies every long[] that threads
     * share the same way.
     */
    private static final int COPIED_AT_ONCE = 512;

    private AdjacentNumbers() {}

    /**
     * The sum of each number over all places, wrapped at 64 bits. Each number is read in one step from
     * each place. The spare slot is read first, with acquire: if it shows what a thread stored there with release or
     * stronger, the sum holds all that this thread had seen.
     *
     * @param position of the first number, a multiple of 8
     * @param count how many there are
     */
    public static long[] sums(long position, int count) {
        long[] sums = new long[count];
        copy(Area.SPARE, position, sums, count);
        VarHandle.acquireFence();
        long[] part = new long[Math.min(count, COPIED_AT_ONCE)];
        int places = Area.places();
        for (int place = 0; place < places; place++) {
            if (place == Area.SPARE) {
                continue;
            }
            for (int first = 0; first < count; first += part.length) {
                int length = Math.min(part.length, count - first);
                copy(place, position + (long) first * Long.BYTES, part, length);
                for (int i = 0; i < length; i++) {
                    sums[first + i] += part[i];
                }
            }
        }
        return sums;
    }

    /**
     * What the numbers of each place come to: one sum for each CPU, and at {@link Area#SPARE} that of all other places.
     * The spare slots are read first, as in {@link #sums}.
     */
    public static long[] totals(long position, int count) {
        long[] totals = new long[Area.CPUS + 1];
        totals[Area.SPARE] = total(Area.SPARE, position, count);
        VarHandle.acquireFence();
        int places = Area.places();
        for (int place = 0; place < places; place++) {
            if (place != Area.SPARE) {
                totals[Math.min(place, Area.SPARE)] += total(place, position, count);
            }
        }
        return totals;
    }

    private static long total(int place, long position, int count) {
        return LongStream.of(read(place, position, count)).sum();
    }

    /** The numbers of one place, each read in one step. */
    public static long[] read(int place, long position, int count) {
        long[] numbers = new long[count];
        copy(place, position, numbers, count);
        return numbers;
    }

    private static void copy(int place, long position, long[] to, int count) {
        MemorySegment.copy(Area.MEMORY, ValueLayout.JAVA_LONG, Area.offset(place, position), to, 0, count);
    }
}
