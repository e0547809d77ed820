package dev.percpu.stress.failure;

import dev.percpu.testing.FilledHeap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The heap is full: the operation is called with a few bytes left, then with a few more, until it no longer fails. So
 * first its first allocation fails, then its second one, and so on.
 */
final class FullHeap implements Shortage {
    /** So often in a row the operation must succeed before there is thought to be room for all that it allocates. */
    private static final int ENOUGH = 4;

    /** To ask which CPUs are online is to read a file, and the JDK's buffers for that take more than 16 KiB. */
    private static final int MOST_BYTES = 1 << 15;

    private final int stride;
    private final FilledHeap heap = new FilledHeap();

    /** @param stride by how many bytes the room grows */
    FullHeap(int stride) {
        this.stride = stride;
    }

    @Override
    public String name() {
        return "heap";
    }

    @Override
    public List<String> jvmOptions() {
        // Without buffers for threads there is one end of the heap, so it can be filled exactly.
        return List.of("-Xmx8m", "-XX:+UseSerialGC", "-XX:-UseTLAB");
    }

    /** See {@link Operation#parksVirtualThread()}. */
    @Override
    public boolean fits(Operation operation) {
        return !operation.parksVirtualThread();
    }

    @Override
    public void run(Rounds rounds) throws Exception {
        rehearse(MOST_BYTES);
        rounds.undisturbed();
        rounds.undisturbed();
        int passed = 0;
        for (int room = 0; passed < ENOUGH && room < MOST_BYTES && !rounds.isOver(); room += stride) {
            int bytes = room;
            boolean failed = rounds.once(trial -> use(trial, bytes, 0));
            passed = failed ? 0 : passed + 1;
            if (failed) {
                rounds.undisturbed();
            }
        }
        if (passed == 0) {
            rounds.neverPassed(MOST_BYTES + " bytes of heap");
        }
    }

    /** For the handler of what the operation throws. */
    @Override
    public void rehearse(int room) {
        Throwable _ = use(new Rehearsal(), room, 1);
    }

    /** Fills the heap more patiently than {@link #run}: an operation's first use in a JVM cannot be repeated. */
    @Override
    public @Nullable Throwable use(Trial trial, int room) {
        return use(trial, room, FilledHeap.STILL);
    }

    private @Nullable Throwable use(Trial trial, int room, int still) {
        Rounds.Act act = trial::act;
        heap.fill(room, still);
        Throwable thrown = Rounds.thrownBy(act);
        heap.empty();
        return thrown;
    }

    @Override
    public boolean explains(Throwable thrown) {
        return thrown instanceof OutOfMemoryError;
    }
}
