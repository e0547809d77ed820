package dev.percpu.stress.failure;

import java.util.List;

/**
 * The first use of an operation in a process meets a shortage, and so does each further one, until one passes. Then the
 * operation is used with plenty. So no failure may be permanent: an initializer of a class runs only once, and the JVM
 * remembers if it could not link a call.
 *
 * <p>Each task has a JVM of its own, as any other use could link part of the same code. Checking what a failure left
 * behind can do that, too. So there are several of these ways, and each begins with another amount.
 */
final class FirstUse implements Way {
    static final String NAME = "first use/";

    /** Linking takes much: from a few steps on, the room grows by this part. */
    private static final int PART = 4;

    private final Shortage shortage;
    private final int room;
    private final int stride;
    private final int mostRoom;

    /**
     * @param room what is left at first
     * @param stride by how much that grows at least
     * @param mostRoom with which each first use passes
     */
    FirstUse(Shortage shortage, int room, int stride, int mostRoom) {
        this.shortage = shortage;
        this.room = room;
        this.stride = stride;
        this.mostRoom = mostRoom;
    }

    @Override
    public String name() {
        return NAME + shortage.name() + "/" + room;
    }

    @Override
    public List<String> jvmOptions() {
        return shortage.jvmOptions();
    }

    @Override
    public boolean needsFreshJvm() {
        return true;
    }

    /** A thread that waits, or that is waited for, would find the heap full, too, when it first does its part. */
    @Override
    public boolean fits(Operation operation) {
        return shortage.fits(operation) && !operation.waits() && !operation.waitedFor();
    }

    @Override
    public void run(Rounds rounds) throws Exception {
        ThreadOfItsOwn.run(rounds.variant(), "uses first", StackOverflow.STACK_BYTES, () -> {
            shortage.rehearse(mostRoom);
            boolean fails = true;
            for (int left = room;
                    fails && left <= mostRoom && !rounds.isOver();
                    left += Math.max(stride, left / PART)) {
                int now = left;
                fails = rounds.once(trial -> shortage.use(trial, now));
            }
            rounds.undisturbed();
            rounds.undisturbed();
        });
    }

    @Override
    public boolean explains(Throwable thrown) {
        return shortage.explains(thrown);
    }
}
