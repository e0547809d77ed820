package dev.percpu.stress.failure;

import dev.percpu.internal.area.OwnPlaces;
import org.jspecify.annotations.Nullable;

/** Another trial, whose thread has a place of its own. */
final class HotTrial extends Trial {
    /** A thread that waits for a CPU for long is not hot, and tries again. */
    private static final int MOST_CALLS = 3_000_000;

    private final Trial trial;

    HotTrial(Trial trial) {
        this.trial = trial;
    }

    @Override
    void prepare() throws Exception {
        for (int calls = 0; calls < MOST_CALLS && !OwnPlaces.hasMine(); calls++) {
            OwnPlaces.missed();
        }
        check(OwnPlaces.hasMine(), "the thread got no place of its own");
        trial.prepare();
    }

    @Override
    void act() throws Exception {
        trial.act();
    }

    @Override
    boolean verify(@Nullable Throwable thrown) throws Exception {
        return trial.verify(thrown);
    }
}
