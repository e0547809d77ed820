package dev.percpu.concurrent;

import dev.percpu.internal.protocol.OwnUpdate;
import java.lang.constant.ConstantDescs;
import java.lang.invoke.MethodHandles;
import org.jspecify.annotations.Nullable;

/**
 * The class that {@link OwnEvent} makes anew for each event, from this one's class file. Nobody uses this one itself.
 *
 * <p>It has no loops and no arrays, since the JIT compiler takes no element of an array for a constant.
 */
final class OwnEventTemplate extends OwnEvent {
    private static final OwnEvent.Parts PARTS = parts();

    private static final @Nullable OwnUpdate CHECK_0 = PARTS.check(0);
    private static final @Nullable OwnUpdate CHECK_1 = PARTS.check(1);
    private static final @Nullable OwnUpdate CHECK_2 = PARTS.check(2);
    private static final @Nullable OwnUpdate CHECK_3 = PARTS.check(3);

    private static final BuiltEvent.@Nullable Element BUCKET_0 = PARTS.bucket(0);
    private static final BuiltEvent.@Nullable Element BUCKET_1 = PARTS.bucket(1);
    private static final BuiltEvent.@Nullable Element BUCKET_2 = PARTS.bucket(2);
    private static final BuiltEvent.@Nullable Element BUCKET_3 = PARTS.bucket(3);

    private static final @Nullable OwnUpdate UPDATE_0 = PARTS.update(0);
    private static final @Nullable OwnUpdate UPDATE_1 = PARTS.update(1);
    private static final @Nullable OwnUpdate UPDATE_2 = PARTS.update(2);
    private static final @Nullable OwnUpdate UPDATE_3 = PARTS.update(3);
    private static final @Nullable OwnUpdate UPDATE_4 = PARTS.update(4);
    private static final @Nullable OwnUpdate UPDATE_5 = PARTS.update(5);
    private static final @Nullable OwnUpdate UPDATE_6 = PARTS.update(6);
    private static final @Nullable OwnUpdate UPDATE_7 = PARTS.update(7);

    static {
        PARTS.made(new OwnEventTemplate());
    }

    private static OwnEvent.Parts parts() {
        try {
            return MethodHandles.classData(MethodHandles.lookup(), ConstantDescs.DEFAULT_NAME, OwnEvent.Parts.class);
        } catch (IllegalAccessException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @Override
    void update(long place, long first, long second, long third) {
        make(CHECK_0, place, first, second, third, 0, 0, 0, 0);
        make(CHECK_1, place, first, second, third, 0, 0, 0, 0);
        make(CHECK_2, place, first, second, third, 0, 0, 0, 0);
        make(CHECK_3, place, first, second, third, 0, 0, 0, 0);
        long a = bucket(BUCKET_0, first, second, third);
        long b = bucket(BUCKET_1, first, second, third);
        long c = bucket(BUCKET_2, first, second, third);
        long d = bucket(BUCKET_3, first, second, third);
        updateAll(place, first, second, third, a, b, c, d);
    }

    private static void updateAll(long place, long first, long second, long third, long a, long b, long c, long d) {
        make(UPDATE_0, place, first, second, third, a, b, c, d);
        make(UPDATE_1, place, first, second, third, a, b, c, d);
        make(UPDATE_2, place, first, second, third, a, b, c, d);
        make(UPDATE_3, place, first, second, third, a, b, c, d);
        make(UPDATE_4, place, first, second, third, a, b, c, d);
        make(UPDATE_5, place, first, second, third, a, b, c, d);
        make(UPDATE_6, place, first, second, third, a, b, c, d);
        make(UPDATE_7, place, first, second, third, a, b, c, d);
    }

    private static void make(
            @Nullable OwnUpdate step, long place, long first, long second, long third, long a, long b, long c, long d) {
        if (step != null) {
            step.make(place, first, second, third, a, b, c, d);
        }
    }

    private static long bucket(BuiltEvent.@Nullable Element bucket, long first, long second, long third) {
        return bucket == null ? 0 : bucket.index(first, second, third);
    }
}
