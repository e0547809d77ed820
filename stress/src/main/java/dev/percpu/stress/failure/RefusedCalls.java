package dev.percpu.stress.failure;

import dev.percpu.testing.Machine.Call;
import dev.percpu.testing.Seccomp;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The kernel refuses a system call to the thread that uses the operation, and to those that it starts. */
final class RefusedCalls implements Way {
    /** A call that is made in one round need not be made in another: it depends on where the thread runs. */
    private static final int ROUNDS = 4;

    private final String name;
    private final int errno;
    private final List<Call> calls;

    RefusedCalls(String name, int errno, Call... calls) {
        this.name = name;
        this.errno = errno;
        this.calls = List.of(calls);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<String> jvmOptions() {
        return List.of("-Xmx128m", "-XX:+UseSerialGC");
    }

    /** A filter would stay on the carrier, and so fail what other virtual threads do later. */
    @Override
    public boolean fits(Operation operation) {
        return operation.variant() != Variant.VIRTUAL;
    }

    @Override
    public void run(Rounds rounds) throws Exception {
        rounds.undisturbed();
        for (int i = 0; i < ROUNDS && !rounds.isOver(); i++) {
            // Filters are for good, so each round has a thread of its own.
            ThreadOfItsOwn.run(Variant.PLAIN, "refused", 0, () -> {
                boolean _ = rounds.once(this::refused);
            });
            rounds.undisturbed();
        }
    }

    private @Nullable Throwable refused(Trial trial) {
        calls.forEach(call -> Seccomp.refuse(call, errno));
        return Rounds.thrownBy(trial::act);
    }

    @Override
    public boolean explains(Throwable thrown) {
        // A thread that cannot be started is an OutOfMemoryError of the JVM.
        return thrown instanceof OutOfMemoryError
                || String.valueOf(thrown.getMessage()).contains("errno " + errno);
    }
}
