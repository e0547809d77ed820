package dev.percpu.concurrent;

import java.util.function.LongBinaryOperator;

/**
 * The functions of accumulators that an event can apply without Java code. They are an enum so that deserialization
 * gives the same objects.
 */
enum Extreme implements LongBinaryOperator {
    GREATEST(Long.MIN_VALUE) {
        @Override
        public long applyAsLong(long left, long right) {
            return Math.max(left, right);
        }
    },
    LEAST(Long.MAX_VALUE) {
        @Override
        public long applyAsLong(long left, long right) {
            return Math.min(left, right);
        }
    };

    /**
     * The value that, combined with another one, gives that other one. An accumulator keeps the bits in which its value
     * differs from it. Read as an unsigned number, these bits rise as the value rises (GREATEST), or as it falls
     * (LEAST):
     *
     * <pre>
     *   value            bits for GREATEST, value ^ MIN_VALUE   bits for LEAST, value ^ MAX_VALUE
     *   MIN_VALUE        0                                      all ones
     *   -1               0x7f...f                               0x8000...0
     *   0                0x8000...0                             0x7f...f
     *   MAX_VALUE        all ones                               0
     * </pre>
     */
    final long identity;

    Extreme(long identity) {
        this.identity = identity;
    }
}
