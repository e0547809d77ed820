package dev.percpu.concurrent;

import dev.percpu.internal.protocol.OwnUpdate;
import java.lang.constant.ConstantDescs;
import java.lang.invoke.MethodHandles;
import org.jspecify.annotations.Nullable;

/**
 * The class that {@link OwnEvent} makes anew for each event, from this one's class file. Nobody uses this one itself.
 *
 * <p>It has no loops and no arrays, since the JIT compiler takes no element of an array for a constant. And each update
 * has a call site of its own. If all had one in a method that they shared, a small event would reach it in a few of its
 * sixteen calls. The compiler would take it for rare, and not inline the larger kinds of updates.
 */
final class OwnEventTemplate extends OwnEvent {
    private static final OwnEvent.Parts PARTS = parts();

    private static final @Nullable OwnUpdate CHECK_0 = PARTS.check(0);
    private static final @Nullable OwnUpdate CHECK_1 = PARTS.check(1);
    private static final @Nullable OwnUpdate CHECK_2 = PARTS.check(2);
    private static final @Nullable OwnUpdate CHECK_3 = PARTS.check(3);

    private static final BuiltEvent.@Nullable Index BUCKET_0 = PARTS.bucket(0);
    private static final BuiltEvent.@Nullable Index BUCKET_1 = PARTS.bucket(1);
    private static final BuiltEvent.@Nullable Index BUCKET_2 = PARTS.bucket(2);
    private static final BuiltEvent.@Nullable Index BUCKET_3 = PARTS.bucket(3);

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
        if (CHECK_0 != null) {
            CHECK_0.make(place, first, second, third, 0, 0, 0, 0);
        }
        if (CHECK_1 != null) {
            CHECK_1.make(place, first, second, third, 0, 0, 0, 0);
        }
        if (CHECK_2 != null) {
            CHECK_2.make(place, first, second, third, 0, 0, 0, 0);
        }
        if (CHECK_3 != null) {
            CHECK_3.make(place, first, second, third, 0, 0, 0, 0);
        }
        long a = BUCKET_0 == null ? 0 : BUCKET_0.compute(first, second, third);
        long b = BUCKET_1 == null ? 0 : BUCKET_1.compute(first, second, third);
        long c = BUCKET_2 == null ? 0 : BUCKET_2.compute(first, second, third);
        long d = BUCKET_3 == null ? 0 : BUCKET_3.compute(first, second, third);
        updateAll(place, first, second, third, a, b, c, d);
    }

    private static void updateAll(long place, long first, long second, long third, long a, long b, long c, long d) {
        if (UPDATE_0 != null) {
            UPDATE_0.make(place, first, second, third, a, b, c, d);
        }
        if (UPDATE_1 != null) {
            UPDATE_1.make(place, first, second, third, a, b, c, d);
        }
        if (UPDATE_2 != null) {
            UPDATE_2.make(place, first, second, third, a, b, c, d);
        }
        if (UPDATE_3 != null) {
            UPDATE_3.make(place, first, second, third, a, b, c, d);
        }
        if (UPDATE_4 != null) {
            UPDATE_4.make(place, first, second, third, a, b, c, d);
        }
        if (UPDATE_5 != null) {
            UPDATE_5.make(place, first, second, third, a, b, c, d);
        }
        if (UPDATE_6 != null) {
            UPDATE_6.make(place, first, second, third, a, b, c, d);
        }
        if (UPDATE_7 != null) {
            UPDATE_7.make(place, first, second, third, a, b, c, d);
        }
    }
}
