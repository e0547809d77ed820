package dev.percpu.stress.failure;

import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** A total that is taken away: it must be in the result, or still be there. */
final class Taking extends Trial {
    private final OtherThread.Action addition;
    private final LongSupplier taking;
    private final LongSupplier total;
    private long there;
    private long taken;

    Taking(OtherThread.Action addition, LongSupplier taking, LongSupplier total) {
        this.addition = addition;
        this.taking = taking;
        this.total = total;
    }

    /** A reset without a result: all that was there is taken away, or nothing is. */
    static Taking byReset(OtherThread.Action addition, Runnable reset, LongSupplier total) {
        return new Taking(
                addition,
                () -> {
                    long there = total.getAsLong();
                    reset.run();
                    return there;
                },
                total);
    }

    @Override
    void prepare() throws Exception {
        addition.run();
        there++;
        taken = 0;
    }

    @Override
    void act() {
        taken = taking.getAsLong();
    }

    @Override
    boolean verify(@Nullable Throwable thrown) {
        long left = total.getAsLong();
        long expected = there - taken;
        there = left;
        same(thrown == null ? "total" : "total after a failed reset", expected, left);
        if (thrown == null) {
            same("taken", 0, left);
        }
        return thrown == null;
    }
}
