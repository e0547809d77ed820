package dev.percpu.stress.failure;

import dev.percpu.stress.failure.FailureRun.Extent;
import dev.percpu.testing.Machine.Call;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * All ways to fail. That {@code mmap} or {@code mprotect} is refused is not among them: a JVM does not survive that, as
 * it needs them itself for each thread that begins or ends.
 */
final class Ways {
    private static final int EPERM = 1;
    private static final int EAGAIN = 11;

    /** Objects begin at every eighth byte, and hardly any allocation is smaller than two words. */
    private static final int BYTES = 16;

    /** What a first use takes that links many lambdas, with a margin. */
    private static final int MOST_FIRST_BYTES = 1 << 17;

    private static final int MOST_FIRST_FRAMES = 1500;

    private static final int BRIEF_BYTES = 256;

    /** With the scaled threshold, a method is compiled after 50 calls. */
    private static final int WARM_UPS = 100;

    private Ways() {}

    static List<Way> all(Extent extent) {
        boolean brief = extent == Extent.SOME_STEPS;
        IntFunction<Depths> depths = brief ? Depths::some : Depths::each;
        return Stream.concat(
                        Stream.of(
                                new StackOverflow("stack/interpreter", 2, depths, "-Xint"),
                                new StackOverflow("stack/C1", 2, depths, "-Xcomp", "-XX:TieredStopAtLevel=1"),
                                // With -Xcomp, C2 would take minutes for the JVM's own methods.
                                new StackOverflow(
                                        "stack/C2",
                                        WARM_UPS,
                                        depths,
                                        "-XX:-TieredCompilation",
                                        "-XX:CompileThresholdScaling=0.01",
                                        "-Xbatch"),
                                new FullHeap(brief ? BRIEF_BYTES : BYTES),
                                new RefusedCalls("membarrier", EPERM, Call.MEMBARRIER),
                                new RefusedCalls("sched_setaffinity", EPERM, Call.SCHED_SETAFFINITY),
                                new RefusedCalls("threads", EAGAIN, Call.CLONE, Call.CLONE3),
                                new Interrupts()),
                        firstUses(depths))
                .toList();
    }

    private static Stream<Way> firstUses(IntFunction<Depths> depths) {
        FullHeap heap = new FullHeap(BYTES);
        StackOverflow stack = new StackOverflow("stack", 0, depths, "-XX:TieredStopAtLevel=1");
        return Stream.concat(
                IntStream.of(0, 1 << 10, 1 << 12, 1 << 14)
                        .mapToObj(room -> new FirstUse(heap, room, BYTES, MOST_FIRST_BYTES)),
                IntStream.of(0, 64, 256).mapToObj(frames -> new FirstUse(stack, frames, 4, MOST_FIRST_FRAMES)));
    }

    static Way named(String name, List<Way> ways) {
        return ways.stream()
                .filter(way -> way.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no way is called " + name));
    }
}
