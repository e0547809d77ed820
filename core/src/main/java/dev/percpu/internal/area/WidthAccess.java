package dev.percpu.internal.area;

import dev.percpu.memory.NumericWidth;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Reads and writes numbers of each width in the area, with opaque ordering: accesses never tear, and a loop sees
 * new values.
 */
public final class WidthAccess {
    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    private static final VarHandle SHORT = ValueLayout.JAVA_SHORT.varHandle();
    private static final VarHandle BYTE = ValueLayout.JAVA_BYTE.varHandle();

    private static final boolean LITTLE_ENDIAN = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;

    private WidthAccess() {}

    /** Forces this class, and what its switches need, to initialize, so that a later first use cannot fail. */
    public static void initialize() {
        long _ = get(NumericWidth.LONG, Area.offset(Area.SPARE, CpuHeader.GUARD_WORD));
    }

    /** The number at an offset in {@link Area#MEMORY}, sign-extended. */
    public static long get(NumericWidth width, long offset) {
        return switch (width) {
            case LONG -> (long) Area.LONG.getOpaque(Area.MEMORY, offset);
            case INT -> (int) INT.getOpaque(Area.MEMORY, offset);
            case SHORT -> (short) SHORT.getOpaque(Area.MEMORY, offset);
            case BYTE -> (byte) BYTE.getOpaque(Area.MEMORY, offset);
        };
    }

    /** Sets the number at an offset in {@link Area#MEMORY} to the lowest bits of a value. */
    public static void set(NumericWidth width, long offset, long value) {
        switch (width) {
            case LONG -> Area.LONG.setOpaque(Area.MEMORY, offset, value);
            case INT -> INT.setOpaque(Area.MEMORY, offset, (int) value);
            case SHORT -> SHORT.setOpaque(Area.MEMORY, offset, (short) value);
            case BYTE -> BYTE.setOpaque(Area.MEMORY, offset, (byte) value);
        }
    }

    /** Adds to the number at an offset in {@link Area#MEMORY}, in two steps, and returns the new value. */
    public static long add(NumericWidth width, long offset, long delta) {
        // The usual width first: this is a comparison with a constant, whereas a switch looks its cases up in an array.
        if (width == NumericWidth.LONG) {
            long sum = (long) Area.LONG.getOpaque(Area.MEMORY, offset) + delta;
            Area.LONG.setOpaque(Area.MEMORY, offset, sum);
            return sum;
        }
        long sum = width.wrap(get(width, offset) + delta);
        set(width, offset, sum);
        return sum;
    }

    /**
     * Stores the lowest bits of {@code next} if the number is {@code expected}, atomically; returns the previous value.
     */
    public static long compareAndExchange(NumericWidth width, long offset, long expected, long next) {
        return switch (width) {
            case LONG -> (long) Area.LONG.compareAndExchange(Area.MEMORY, offset, expected, next);
            case INT -> (int) INT.compareAndExchange(Area.MEMORY, offset, (int) expected, (int) next);
            case SHORT, BYTE -> width.wrap(compareAndExchangeWithin(width, offset, expected, next));
        };
    }

    /**
     * Memory can only be compared and exchanged in units of at least 32 bits, so the neighbours are stored
     * back unchanged.
     */
    private static long compareAndExchangeWithin(NumericWidth width, long offset, long expected, long next) {
        long word = offset & -Integer.BYTES;
        int bytesBefore = (int) (offset - word);
        int bytesBelow = LITTLE_ENDIAN ? bytesBefore : Integer.BYTES - width.bytes() - bytesBefore;
        int shift = bytesBelow * Byte.SIZE;
        int mask = (1 << width.bits()) - 1;
        while (true) {
            int around = (int) INT.getVolatile(Area.MEMORY, word);
            int found = (around >>> shift) & mask;
            if (found != (expected & mask)) {
                return found;
            }
            int changed = (around & ~(mask << shift)) | ((int) (next & mask) << shift);
            if (INT.compareAndSet(Area.MEMORY, word, around, changed)) {
                return found;
            }
        }
    }
}
