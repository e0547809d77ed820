package dev.percpu.internal.area;

import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.Platform;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** How large each CPU's place is: the property's value, the default, and which value to recommend. */
final class Stride {
    /** Sets the size of each CPU's place: a power of two, in bytes, or with a suffix: 512k, 64m, 1g. */
    static final String PROPERTY = "percpu.area.stride";

    /** A place with room for its header, and as much again. */
    static final long SMALLEST = CpuHeader.SIZE * 2;

    /** Makes a position fit into an {@code int}, since many positions are kept on the heap. */
    static final long LARGEST = 1L << 30;

    /** Only address space is taken, so there is no reason for less. */
    private static final long DEFAULT = LARGEST;

    /**
     * With many possible CPUs all places together stay within this, as some kernels give a process only twice as much
     * address space.
     */
    private static final long MOST_IN_ALL = 1L << 38;

    /**
     * Room for thousands of large variables. The area does not shrink below this for the limit above, which is only
     * a preference.
     */
    private static final long DEFAULT_WITH_MANY_CPUS = 1L << 28;

    /** If address space is limited, the area takes a sixteenth of it, or this for each place if that is more. */
    private static final long DEFAULT_IF_LIMITED = 1L << 24;

    private static final int SHARE_IF_LIMITED = 16;

    /** But not more than this share, unless even the smallest places need more. */
    private static final int LARGEST_SHARE_IF_LIMITED = 4;

    /** If address space is limited, the JVM needs an eighth of it as room beside the area, or this if that is less. */
    private static final long ROOM_IF_LIMITED = 1L << 28;

    private static final int SHARE_OF_ROOM_IF_LIMITED = 8;

    /** Without system calls the whole area is made resident at once. */
    private static final long ALLOCATED = 1L << 18;

    private static final int KILO = 10;

    private Stride() {}

    /**
     * The size of each of so many places.
     *
     * @throws IllegalArgumentException if the property's value is not a possible size
     */
    static long wanted(int places) {
        String text = System.getProperty(PROPERTY);
        if (text != null) {
            return parse(text);
        }
        if (!Platform.hasSystemCalls()) {
            return ALLOCATED;
        }
        long stride = DEFAULT;
        while (stride > DEFAULT_WITH_MANY_CPUS && stride > MOST_IN_ALL / places) {
            stride /= 2;
        }
        return ifLimited(stride, Linux.addressSpaceLimit(), places);
    }

    /** The size of each of so many places if address space is limited. */
    static long ifLimited(long stride, long limit, int places) {
        long least =
                Math.clamp(limit / LARGEST_SHARE_IF_LIMITED / places, Reservation.LEAST_SHRUNK, DEFAULT_IF_LIMITED);
        long fitting = stride;
        while (fitting > least && fitting > limit / SHARE_IF_LIMITED / places) {
            fitting /= 2;
        }
        return fitting;
    }

    /** How much address space the JVM needs beside the area; 0 if there is no limit. */
    static long roomIfLimited(long limit) {
        return limit == Long.MAX_VALUE ? 0 : Math.min(ROOM_IF_LIMITED, limit / SHARE_OF_ROOM_IF_LIMITED);
    }

    /** Whether the user has set the size of a place. */
    static boolean isSet() {
        return System.getProperty(PROPERTY) != null;
    }

    static long parse(String text) {
        long stride = bytes(text.strip().toLowerCase(Locale.ROOT));
        if (Long.bitCount(stride) != 1 || stride < SMALLEST || stride > LARGEST) {
            throw new IllegalArgumentException(PROPERTY + " must be a power of two from " + SMALLEST + " to "
                    + format(LARGEST) + ", in bytes or as in 512k, 64m, 1g, not '" + text + "'");
        }
        return stride;
    }

    /** 0 if the text is not a number of bytes. */
    private static long bytes(String text) {
        int suffix = text.isEmpty() ? -1 : "kmg".indexOf(text.charAt(text.length() - 1));
        String digits = suffix < 0 ? text : text.substring(0, text.length() - 1);
        try {
            return Math.multiplyExact(Long.parseLong(digits), 1L << (KILO * (suffix + 1)));
        } catch (NumberFormatException | ArithmeticException e) {
            return 0;
        }
    }

    /** Formats a size in the way that the property accepts. */
    static String format(long bytes) {
        int suffix = Math.min(Long.numberOfTrailingZeros(bytes) / KILO, "kmg".length());
        return suffix == 0 ? Long.toString(bytes) : (bytes >> (KILO * suffix)) + "" + "kmg".charAt(suffix - 1);
    }

    /** What to do if a place would have to be as large as this. */
    static String adviceFor(long bytes) {
        @Nullable String value = bytes > LARGEST ? null : format(Long.highestOneBit(Math.max(bytes, SMALLEST) * 2 - 1));
        return value == null
                ? "use fewer or smaller variables: they would not fit even with -D" + PROPERTY + "=" + format(LARGEST)
                        + ", which is the largest area"
                : "enlarge the area with -D" + PROPERTY + "=" + value;
    }
}
