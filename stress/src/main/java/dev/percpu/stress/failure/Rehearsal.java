package dev.percpu.stress.failure;

import org.jspecify.annotations.Nullable;

/** Only throws what a {@link Shortage} makes an operation throw. */
final class Rehearsal extends Trial {
    @Override
    void act() {
        throw new OutOfMemoryError();
    }

    @Override
    boolean verify(@Nullable Throwable thrown) {
        return false;
    }
}
