package dev.percpu.stress.failure;

import dev.percpu.stress.failure.FailureRun.Extent;
import dev.percpu.testing.Machine.Call;
import java.util.List;

/**
 * All ways to fail. That {@code mmap} or {@code mprotect} is refused is not among them: a JVM does not survive that, as
 * it needs them itself for each thread that begins or ends.
 */
final class Ways {
    private static final int EPERM = 1;
    private static final int EAGAIN = 11;

    /** Objects begin at every eighth byte, and hardly any allocation is smaller than two words. */
    private static final int BYTES = 16;

    private static final int BRIEF_BYTES = 256;
    private static final int BRIEF_DEPTHS = 5;

    private Ways() {}

    static List<Way> all(Extent extent) {
        boolean brief = extent == Extent.SOME_STEPS;
        int depths = brief ? BRIEF_DEPTHS : 1;
        return List.of(
                new StackOverflow("stack/interpreter", depths, "-Xint"),
                new StackOverflow("stack/C1", depths, "-Xcomp", "-XX:TieredStopAtLevel=1"),
                new StackOverflow("stack/C2", depths, "-Xcomp", "-XX:-TieredCompilation"),
                new FullHeap(brief ? BRIEF_BYTES : BYTES),
                new RefusedCalls("membarrier", EPERM, Call.MEMBARRIER),
                new RefusedCalls("sched_setaffinity", EPERM, Call.SCHED_SETAFFINITY),
                new RefusedCalls("threads", EAGAIN, Call.CLONE, Call.CLONE3),
                new Interrupts());
    }

    static Way named(String name, Extent extent) {
        return all(extent).stream()
                .filter(way -> way.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no way is called " + name));
    }
}
