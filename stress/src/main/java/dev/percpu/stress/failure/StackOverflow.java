package dev.percpu.stress.failure;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The stack overflows at each depth: the operation is called with a few bytes of stack left, then with a few more,
 * until it no longer fails.
 */
final class StackOverflow implements Shortage {
    private static final int MOST_FRAMES = 2000;
    static final long STACK_BYTES = 320 << 10;

    /** Frames of one size would pass over steps; calls with more arguments make them larger, by two words each. */
    private static final int SIZES = 6;

    private final String name;
    private final List<String> options;
    private final int warmUps;
    private final IntFunction<Depths> depths;

    /** The recursion's state; of the thread that has the small stack. */
    private int spare;

    private int size;
    private @Nullable Trial trial;
    private @Nullable Throwable thrown;
    private boolean called;

    /**
     * @param warmUps how often an operation is used before, until whatever compiles methods has compiled it
     * @param depths which depths are tried, of so many
     */
    StackOverflow(String name, int warmUps, IntFunction<Depths> depths, String... options) {
        this.name = name;
        this.warmUps = warmUps;
        this.depths = depths;
        List<String> all = new ArrayList<>(List.of(options));
        all.add("-Xmx128m");
        // Of carriers of virtual threads, too.
        all.add("-Xss" + STACK_BYTES);
        // The methods on top tell which step it was. Recording a thousand below them took most of the time.
        all.add("-XX:MaxJavaStackTraceDepth=64");
        all.add("-XX:+UseSerialGC");
        this.options = List.copyOf(all);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<String> jvmOptions() {
        return options;
    }

    /** See {@link Operation#parksVirtualThread()}. */
    @Override
    public boolean fits(Operation operation) {
        return !operation.parksVirtualThread();
    }

    @Override
    public void run(Rounds rounds) throws Exception {
        ThreadOfItsOwn.run(rounds.variant(), "overflows", STACK_BYTES, () -> {
            for (int i = 0; i < warmUps; i++) {
                rounds.undisturbed();
            }
            Depths all = depths.apply(MOST_FRAMES * SIZES);
            while (!all.isOver() && !rounds.isOver()) {
                int frames = all.depth() / SIZES;
                int padding = all.depth() % SIZES;
                boolean failed = rounds.once(use -> overflow(use, frames, padding));
                Throwable by = thrown;
                all.next(failed && by != null ? Step.where(by) : null);
                if (failed) {
                    rounds.undisturbed();
                }
            }
            if (!all.hasPassed()) {
                rounds.neverPassed(MOST_FRAMES + " frames");
            }
        });
    }

    @Override
    public boolean explains(Throwable thrown) {
        return thrown instanceof StackOverflowError;
    }

    @Override
    public void rehearse(int room) {
        Throwable _ = use(new Rehearsal(), room);
    }

    /** @param room how many frames are left */
    @Override
    public @Nullable Throwable use(Trial use, int room) {
        return overflow(use, room, 0);
    }

    private @Nullable Throwable overflow(Trial use, int frames, int padding) {
        trial = use;
        spare = frames;
        size = padding;
        thrown = null;
        called = false;
        int depth = descend();
        if (!called) {
            throw new IllegalStateException("a stack of " + depth + " frames has no " + frames);
        }
        return thrown;
    }

    /** Calls itself until the stack is full, and the operation on the way back; returns how many frames were below. */
    @SuppressWarnings("InfiniteRecursion") // until the stack ends
    private int descend() {
        int below;
        try {
            below = descend() + 1;
        } catch (StackOverflowError end) {
            below = 0;
        }
        if (below == spare) {
            call();
        }
        return below;
    }

    private void call() {
        // No more is done here, as there may be no stack left for it.
        try {
            called = true;
            switch (size) {
                case 0 -> act();
                case 1 -> act(0, 0);
                case 2 -> act(0, 0, 0, 0);
                case 3 -> act(0, 0, 0, 0, 0, 0);
                case 4 -> act(0, 0, 0, 0, 0, 0, 0, 0);
                default -> act(0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
            }
        } catch (Throwable t) {
            thrown = t;
        }
    }

    private void act() throws Exception {
        Trial use = trial;
        if (use != null) {
            use.act();
        }
    }

    @SuppressWarnings("unused")
    private void act(long a, long b) throws Exception {
        act();
    }

    @SuppressWarnings("unused")
    private void act(long a, long b, long c, long d) throws Exception {
        act();
    }

    @SuppressWarnings("unused")
    private void act(long a, long b, long c, long d, long e, long f) throws Exception {
        act();
    }

    @SuppressWarnings("unused")
    private void act(long a, long b, long c, long d, long e, long f, long g, long h) throws Exception {
        act();
    }

    @SuppressWarnings("unused")
    private void act(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j) throws Exception {
        act();
    }
}
