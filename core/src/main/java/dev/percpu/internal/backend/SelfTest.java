package dev.percpu.internal.backend;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.area.Numbers;
import dev.percpu.internal.code.Instrumentation;
import dev.percpu.internal.code.Op;
import dev.percpu.internal.linux.Topology;
import dev.percpu.memory.NumericWidth;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/**
 * Lets the sequences show that they work on this kernel before they are trusted. The result of each test is what went
 * wrong; empty if nothing did.
 */
final class SelfTest {
    private static final int QUICK_ROUNDS = 100;

    private static final int DEEP_THREADS = 4;
    private static final int DEEP_ROUNDS = 30_000;

    /** A microsecond or two: then nearly all of a thread's time is inside a section, and so are its preemptions. */
    private static final int DEEP_DELAY = 3_000;

    private SelfTest() {}

    /** Whether each sequence does what it should when nothing disturbs it; takes well below a millisecond. */
    static String quick(Backend backend) {
        for (NumericWidth width : NumericWidth.values()) {
            long position = Area.allocate(width.bytes(), width.bytes(), "self-test");
            try {
                long expected = 0;
                for (int round = 1; round <= QUICK_ROUNDS; round++) {
                    backend.update(Op.ADD, width, position, round, 0);
                    expected += round;
                }
                String wrong = compare(width, position, expected);
                if (!wrong.isEmpty()) {
                    return QUICK_ROUNDS + " additions of " + width + " " + wrong;
                }
            } finally {
                Area.free(position, width.bytes());
            }
        }
        return quickGuard(backend);
    }

    private static String quickGuard(Backend backend) {
        long owner = Thread.currentThread().threadId();
        int cpu = backend.tryAcquire(owner);
        if (cpu < 0) {
            return cpu == Backend.NO_CPU
                    ? "the kernel gives this thread no CPU id, or none below " + Area.CPUS
                    : "a free guard cannot be acquired";
        }
        long word = Area.offset(cpu, CpuHeader.GUARD_WORD);
        long found = (long) Area.LONG.getAndSet(Area.MEMORY, word, 0L);
        return found == owner ? "" : "an acquired guard names " + found + " as its owner, not " + owner;
    }

    /**
     * Whether additions survive preemption and migration: threads bound to one CPU add with a long delay inside their
     * sections, so that nearly each preemption must abort one, and the total must be right. Takes about half a second.
     *
     * @param sequences makes a back end of sequences with the instrumentation
     */
    static String deep(Function<Instrumentation, Backend> sequences) {
        int cpu = Topology.usable().nextSetBit(0);
        long position = Area.allocate(2L * Long.BYTES, Long.BYTES, "self-test");
        try {
            // The abort counter lies in the place of no CPU, which nobody uses here.
            long aborts = Area.offset(Area.CPUS, position + Long.BYTES);
            Backend delayed = sequences.apply(new Instrumentation(DEEP_DELAY, Area.BASE + aborts));
            List<BoundThread> threads = new ArrayList<>();
            for (int i = 0; i < DEEP_THREADS; i++) {
                threads.add(BoundThread.start(cpu, () -> {
                    for (int round = 0; round < DEEP_ROUNDS; round++) {
                        delayed.update(Op.ADD, NumericWidth.LONG, position, 1, 0);
                    }
                }));
            }
            // All of them, since they write to what is given back below.
            List<Throwable> thrown = threads.stream()
                    .map(BoundThread::await)
                    .filter(Objects::nonNull)
                    .toList();
            if (!thrown.isEmpty()) {
                return "test threads failed: " + thrown;
            }
            String wrong = compare(NumericWidth.LONG, position, (long) DEEP_THREADS * DEEP_ROUNDS);
            if (!wrong.isEmpty()) {
                return "delayed additions by " + DEEP_THREADS + " threads on CPU " + cpu + " " + wrong;
            }
            return (long) Area.LONG.getVolatile(Area.MEMORY, aborts) > 0
                    ? ""
                    : "the kernel aborted no section in " + DEEP_THREADS * DEEP_ROUNDS + " delayed ones";
        } finally {
            Area.free(position, 2L * Long.BYTES);
        }
    }

    private static String compare(NumericWidth width, long position, long expected) {
        long sum = 0;
        for (int cpu = 0; cpu <= Area.CPUS; cpu++) {
            sum += Numbers.get(width, Area.offset(cpu, position));
        }
        return width.wrap(sum) == width.wrap(expected)
                ? ""
                : "came to " + width.wrap(sum) + ", not " + width.wrap(expected);
    }
}
