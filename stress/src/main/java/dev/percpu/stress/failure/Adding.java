package dev.percpu.stress.failure;

import dev.percpu.memory.NumericWidth;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The addition of 1. */
class Adding extends Trial {
    private final OtherThread.Action addition;
    private final LongSupplier total;
    private final NumericWidth width;
    private long before;

    Adding(OtherThread.Action addition, LongSupplier total) {
        this(addition, total, NumericWidth.LONG);
    }

    Adding(OtherThread.Action addition, LongSupplier total, NumericWidth width) {
        this.addition = addition;
        this.total = total;
        this.width = width;
    }

    @Override
    void prepare() {
        same("total", before, total.getAsLong());
    }

    @Override
    void act() throws Exception {
        addition.run();
    }

    @Override
    boolean verify(@Nullable Throwable thrown) {
        long was = before;
        before = total.getAsLong();
        return beforeOrAfter("total", was, width.wrap(was + 1), before, thrown);
    }
}
