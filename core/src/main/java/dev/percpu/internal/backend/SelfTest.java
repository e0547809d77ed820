package dev.percpu.internal.backend;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.code.Catalogue;
import dev.percpu.internal.code.Instrumentation;
import dev.percpu.internal.code.Op;
import dev.percpu.internal.code.Sequence;
import dev.percpu.internal.linux.BoundThread;
import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.LinuxException;
import dev.percpu.internal.linux.RseqRegistration;
import dev.percpu.internal.linux.Topology;
import dev.percpu.memory.NumericWidth;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Tests that the sequences work on this kernel before the library trusts them. The result of each test is a description
 * of what went wrong, or empty if nothing did. A test that cannot be run throws a {@link RseqUnavailableException}.
 *
 * <p>The tests run while the back end is being chosen. So the threads that they start must not use the chosen back end.
 */
final class SelfTest {
    private static final Sequence ADDITION = Catalogue.pure(Op.ADD, NumericWidth.LONG);

    /** The sequences that {@link #additions} calls. */
    static final List<Sequence> SEQUENCES = List.of(ADDITION);

    private static final int QUICK_ROUNDS = 100;

    /**
     * Rounds of each of the five delays in the section of an addition: about a microsecond. So a thread is nearly
     * always inside a section, where a restart or a preemption hits it.
     */
    private static final int DELAY = 3_000;

    /**
     * If so many restarts abort nothing, the kernel loses aborts; otherwise one or two restarts are enough. A restart
     * counts only if the other thread made progress since the restart before. A time limit instead would not do: if
     * that thread got no CPU for so long, or if the process was stopped, the kernel would seem to lose aborts.
     */
    private static final int MOST_RESTARTS_IN_VAIN = 200;

    private static final long NANOS_BETWEEN_RESTARTS = TimeUnit.MICROSECONDS.toNanos(20);

    static final int DEEP_THREADS = 4;

    /** So many additions by each thread take about half a second. */
    static final int DEEP_ROUNDS = 30_000;

    private SelfTest() {}

    /** Additions of 1 at a position of the area. */
    record Additions(LinkedSequence addition) implements LongConsumer {
        @Override
        public void accept(long position) {
            long _ = addition.call(Area.BASE + position, 1);
        }
    }

    static LongConsumer additions(Sequences sequences) {
        return new Additions(sequences.link(ADDITION));
    }

    /** Makes {@link Additions}, with a build of the sequences that has the instrumentation. */
    record Build(RseqRegistration registration) implements Function<Instrumentation, LongConsumer> {
        @Override
        public LongConsumer apply(Instrumentation instrumentation) {
            return additions(Sequences.emit(registration, instrumentation, List.of(ADDITION)));
        }
    }

    /** Adds until it is told to stop. */
    private static final class Adding implements Runnable {
        private final LongConsumer additions;
        private final long position;

        /** A field: the stack cannot overflow in a store to one. */
        private volatile boolean stopped;

        private Adding(LongConsumer additions, long position) {
            this.additions = additions;
            this.position = position;
        }

        @Override
        public void run() {
            while (!stopped) {
                additions.accept(position);
            }
        }
    }

    /** Adds a given number of times. */
    private record Rounds(LongConsumer additions, long position, int count) implements Runnable {
        @Override
        public void run() {
            for (int round = 0; round < count; round++) {
                additions.accept(position);
            }
        }
    }

    /** Tests whether each sequence does what it should when nothing disturbs it; takes well below a millisecond. */
    static String quick(Sequences sequences) {
        for (NumericWidth width : NumericWidth.values()) {
            LinkedSequence addition = sequences.link(Catalogue.pure(Op.ADD, width));
            long position = Area.allocate(Long.BYTES, Long.BYTES, "self-test");
            try {
                long expected = 0;
                for (int round = 1; round <= QUICK_ROUNDS; round++) {
                    long _ = addition.call(Area.BASE + position, round);
                    expected += round;
                }
                String wrong = compare(width, position, expected);
                if (!wrong.isEmpty()) {
                    return QUICK_ROUNDS + " additions of " + width + " " + wrong;
                }
            } finally {
                Area.free(position, Long.BYTES);
            }
        }
        return quickGuard(sequences);
    }

    private static String quickGuard(Sequences sequences) {
        long owner = Thread.currentThread().threadId();
        long cpu = sequences.link(Catalogue.ACQUIRE).call(owner, 0);
        if (cpu < 0) {
            return cpu == Catalogue.NO_CPU
                    ? "the kernel gives this thread no CPU id, or none below " + Area.CPUS
                    : "a free guard cannot be acquired";
        }
        long word = Area.offset((int) cpu, CpuHeader.GUARD_WORD);
        long found = (long) Area.LONG.getAndSet(Area.MEMORY, word, 0L);
        return found == owner ? "" : "an acquired guard names " + found + " as its owner, not " + owner;
    }

    /**
     * Tests whether the kernel aborts a section at all. A version number does not tell: distributors backport changes,
     * and binary translators and restored checkpoints can lose what the kernel does. One thread is inside a delayed
     * section nearly all of its time. This thread asks for restarts until an abort has been counted, which takes about
     * a millisecond; longer if the other thread has to wait for a CPU.
     *
     * @param additions makes additions of 1, with a build of the sequences that has the instrumentation
     */
    static String seeAnAbort(Function<Instrumentation, LongConsumer> additions) {
        @Nullable BoundThread[] threads = new BoundThread[1];
        long position = Area.allocate(2L * Long.BYTES, Long.BYTES, "self-test");
        try {
            LongConsumer delayed =
                    additions.apply(new Instrumentation(DELAY, Area.address(Area.SPARE, position + Long.BYTES)));
            return seeAnAbort(delayed, position, threads);
        } finally {
            freeAfterEnd(threads, position);
        }
    }

    private static String seeAnAbort(LongConsumer delayed, long position, @Nullable BoundThread[] threads) {
        // In the spare place, which no sequence of a thread with a CPU id uses.
        long aborts = Area.offset(Area.SPARE, position + Long.BYTES);
        Adding task = new Adding(delayed, position);
        BoundThread adding = BoundThread.tryStart(BoundThread.ANYWHERE, task);
        threads[0] = adding;
        if (adding == null) {
            throw noThread();
        }
        try {
            long added = 0;
            int inVain = 0;
            // Asks at least once: the scheduler may have aborted a section before that, and restarts may be refused.
            do {
                long before = added;
                added = sum(position);
                inVain += added == before ? 0 : 1;
                if (inVain > MOST_RESTARTS_IN_VAIN) {
                    return "the kernel aborted no section, although restarts were requested continuously";
                }
                if (!adding.isAlive()) {
                    throw threadFailed(adding.await());
                }
                Linux.restartSequencesEverywhere();
                // On a single CPU, the other thread runs during this pause, and the end of the pause preempts it.
                LockSupport.parkNanos(NANOS_BETWEEN_RESTARTS);
            } while ((long) Area.LONG.getVolatile(Area.MEMORY, aborts) == 0);
            return "";
        } catch (LinuxException refused) {
            // The kernel, or a filter, can allow the registration for restarts and refuse the restarts.
            throw Sequences.notRestarted(refused);
        } finally {
            // If the thread failed, the loop above has said so, or an abort was seen before.
            task.stopped = true;
        }
    }

    /**
     * Tests whether additions survive preemption and migration. Threads bound to one CPU add with a long delay inside
     * their sections, so that nearly each preemption must abort a section, and the total must be right.
     *
     * @param additions makes additions of 1, with a build of the sequences that has the instrumentation
     * @param count how many of them each thread does: {@link #DEEP_ROUNDS}, unless the machine is emulated
     */
    static String deep(Function<Instrumentation, LongConsumer> additions, int count) {
        int cpu = Topology.usable().nextSetBit(0);
        @Nullable BoundThread[] threads = new BoundThread[DEEP_THREADS];
        long position = Area.allocate(2L * Long.BYTES, Long.BYTES, "self-test");
        try {
            // The abort counter lies in the spare place, which no sequence uses here.
            long aborts = Area.offset(Area.SPARE, position + Long.BYTES);
            LongConsumer delayed =
                    additions.apply(new Instrumentation(DELAY, Area.address(Area.SPARE, position + Long.BYTES)));
            Runnable rounds = new Rounds(delayed, position, count);
            for (int i = 0; i < DEEP_THREADS; i++) {
                threads[i] = BoundThread.tryStart(cpu, rounds);
            }
            for (BoundThread thread : threads) {
                if (thread == null) {
                    throw noThread();
                }
                Throwable thrown = thread.await();
                if (thrown != null) {
                    throw threadFailed(thrown);
                }
            }
            String wrong = compare(NumericWidth.LONG, position, (long) DEEP_THREADS * count);
            if (!wrong.isEmpty()) {
                return "delayed additions by " + DEEP_THREADS + " threads on CPU " + cpu + " " + wrong;
            }
            return (long) Area.LONG.getVolatile(Area.MEMORY, aborts) > 0
                    ? ""
                    : "the kernel aborted no section in " + DEEP_THREADS * count + " delayed ones";
        } finally {
            freeAfterEnd(threads, position);
        }
    }

    /**
     * Gives memory back once all threads that write to it have ended. An error, such as a full heap, may have come
     * between their starts. If an error comes here, the memory is kept: a thread that writes to it may still run.
     */
    private static void freeAfterEnd(@Nullable BoundThread[] threads, long position) {
        for (BoundThread thread : threads) {
            if (thread != null) {
                Throwable _ = thread.await();
            }
        }
        Area.free(position, 2L * Long.BYTES);
    }

    private static RseqUnavailableException noThread() {
        return new RseqUnavailableException(
                "no thread can be started for the self-test (is there a limit, as of ulimit -u?)", null);
    }

    private static RseqUnavailableException threadFailed(@Nullable Throwable thrown) {
        return new RseqUnavailableException("a thread of the self-test failed: " + thrown, thrown);
    }

    /**
     * How the sum differs from what is expected; empty if it does not. The number has a whole word for itself, and its
     * bits are the word's lowest ones.
     */
    private static String compare(NumericWidth width, long position, long expected) {
        long sum = sum(position);
        return width.wrap(sum) == width.wrap(expected)
                ? ""
                : "came to " + width.wrap(sum) + ", not " + width.wrap(expected);
    }

    private static long sum(long position) {
        long sum = 0;
        for (int cpu = 0; cpu <= Area.SPARE; cpu++) {
            sum += (long) Area.LONG.getOpaque(Area.MEMORY, Area.offset(cpu, position));
        }
        return sum;
    }
}
