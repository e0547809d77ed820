package dev.percpu.stress.failure;

import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** A total that is read; it must be right. */
final class Reading extends Trial {
    private final OtherThread.Action addition;
    private final LongSupplier total;
    private long expected;
    private long seen;

    Reading(OtherThread.Action addition, LongSupplier total) {
        this.addition = addition;
        this.total = total;
    }

    @Override
    void prepare() throws Exception {
        addition.run();
        expected++;
    }

    @Override
    void act() {
        seen = total.getAsLong();
    }

    @Override
    boolean verify(@Nullable Throwable thrown) {
        if (thrown == null) {
            same("total", expected, seen);
        }
        same("total afterwards", expected, total.getAsLong());
        return thrown == null;
    }
}
