package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.backend.Interposed;
import dev.percpu.internal.guard.NativeOwners;
import dev.percpu.internal.guard.Ownership;
import dev.percpu.internal.protocol.GuardWords;
import dev.percpu.testing.Garbage;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.LogCapture;
import dev.percpu.testing.Machine;
import dev.percpu.testing.Seccomp;
import dev.percpu.testing.Workers;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntPredicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every step of acquiring and closing can fail, and the thread can end: the CPU can be had again all the same.
 *
 * <p>This file is longer than others: each way to fail is a program of its own, most of them in a JVM of their own.
 */
@SuppressWarnings("MustBeClosedChecker") // not closing is the subject
class GuardRecoveryTest {
    private static final CpuId FIRST = CpuMask.allowed().iterator().next();

    static Stream<ThreadFactory> kindsOfThreads() {
        return Stream.of(
                Thread.ofPlatform().name("forgetful").factory(),
                Thread.ofVirtual().name("forgetful").factory());
    }

    /** As after a stack overflow between the acquisition and the count, in a thread that then does something else. */
    @ParameterizedTest
    @MethodSource("kindsOfThreads")
    void aLivingThreadThatOwnsACpuWithoutAGuardIsFoundOut(ThreadFactory kind) throws InterruptedException {
        try (Forgetful _ = new Forgetful(kind);
                LogCapture log = new LogCapture()) {
            Workers.run("heir-", 4, number -> CpuGuard.acquire(FIRST).close());
            assertThat(log.awaitMessages(1, "left behind"))
                    .singleElement()
                    .asString()
                    .contains("forgetful");
        }
    }

    /** None of the attempts lasts as long as it takes to suspect an owner. */
    @ParameterizedTest
    @ValueSource(longs = {0, 1})
    void attemptsThatAreShortFindItOutTogether(long millis) throws InterruptedException {
        try (Forgetful _ = new Forgetful(Thread.ofPlatform().factory());
                LogCapture log = new LogCapture()) {
            CpuGuard guard = null;
            while (guard == null) {
                guard = millis == 0
                        ? CpuGuard.tryAcquire(FIRST)
                        : CpuGuard.tryAcquire(FIRST, millis, TimeUnit.MILLISECONDS);
            }
            guard.close();
            log.awaitMessage("left behind");
        }
    }

    /** A thread that lives on, and owns the CPU without having a guard. */
    private static final class Forgetful implements AutoCloseable {
        private final CountDownLatch end = new CountDownLatch(1);
        private final Thread thread;

        Forgetful(ThreadFactory kind) throws InterruptedException {
            CountDownLatch owned = new CountDownLatch(1);
            thread = kind.newThread(() -> {
                CpuGuard.acquire().close();
                assertThat(GuardWords.CURRENT.tryAcquireOn(
                                FIRST.id(), Thread.currentThread().threadId()))
                        .isTrue();
                owned.countDown();
                Workers.await(end);
            });
            thread.start();
            owned.await();
        }

        @Override
        public void close() {
            end.countDown();
            Workers.join(thread);
        }
    }

    /** Its own next acquisition may be of another CPU. */
    @Test
    void aThreadThatOwnsACpuWithoutAGuardMayWaitForAnother() throws InterruptedException {
        assertThat(GuardWords.CURRENT.tryAcquireOn(
                        FIRST.id(), Thread.currentThread().threadId()))
                .isTrue();
        Ownership.refuseToWait("", "nothing");
        assertThat(Ownership.owner(FIRST.id())).isZero();
        assertThat(CpuGuard.isHeldByCurrentThread()).isFalse();
    }

    @ParameterizedTest
    @MethodSource("kindsOfThreads")
    void neitherAThreadNorItsClassLoaderIsKeptAfterItsEnd(ThreadFactory kind) throws InterruptedException {
        WeakReference<Thread> ended = ended(kind, false);
        Garbage.collectUntil(() -> ended.refersTo(null));
    }

    @ParameterizedTest
    @MethodSource("kindsOfThreads")
    void aCollectedOwnersCpuIsTakenOver(ThreadFactory kind) throws InterruptedException {
        WeakReference<Thread> ended = ended(kind, true);
        Garbage.collectUntil(() -> ended.refersTo(null));
        assertThat(Ownership.owner(FIRST.id())).isNotZero();
        try (LogCapture log = new LogCapture();
                CpuGuard guard = CpuGuard.tryAcquire(FIRST)) {
            assertThat(guard).isNotNull();
            log.awaitMessage("taken over");
        }
    }

    /** Whoever started a thread often keeps it, so nobody may wait for the garbage collector. */
    @Test
    void theCpuOfAnEndedOwnerThatIsStillReachableIsTakenOver() throws InterruptedException {
        Thread owner = joined(Thread.ofPlatform().factory(), true);
        try (LogCapture log = new LogCapture();
                CpuGuard guard = CpuGuard.tryAcquire(FIRST)) {
            assertThat(guard).isNotNull();
            log.awaitMessage("taken over");
        } finally {
            Reference.reachabilityFence(owner);
        }
    }

    private static WeakReference<Thread> ended(ThreadFactory kind, boolean leaves) throws InterruptedException {
        return new WeakReference<>(joined(kind, leaves));
    }

    private static Thread joined(ThreadFactory kind, boolean leaves) throws InterruptedException {
        Thread thread = kind.newThread(() -> {
            CpuGuard guard = CpuGuard.acquire(FIRST);
            if (!leaves) {
                guard.close();
            }
        });
        thread.start();
        thread.join();
        return thread;
    }

    /** Before the first acquisition of a thread, and later, when the thread is known already. */
    @Test
    @Tag("native")
    void aFullHeapLeavesNoCpuBehind() {
        assertThat(Jvm.asHere().option("-Xmx16m").option("-Xint").outputOf(FullHeap.class))
                .contains("free");
    }

    /** Where the guard is an object on the heap: in the interpreter. */
    static final class FullHeap {
        private static volatile Object @Nullable [] hoard;

        private FullHeap() {}

        public static void main(String[] arguments) throws InterruptedException {
            CpuGuard.acquire().close();
            CountDownLatch failed = new CountDownLatch(2);
            CountDownLatch end = new CountDownLatch(1);
            Thread ends = new Thread(() -> {
                acquireWithFullHeap();
                failed.countDown();
            });
            ends.start();
            ends.join();
            acquireAll();
            Thread goesOn = new Thread(() -> {
                CpuGuard.acquire().close();
                acquireWithFullHeap();
                failed.countDown();
                Workers.await(end);
            });
            goesOn.start();
            failed.await();
            acquireAll();
            end.countDown();
            System.out.println("free");
        }

        /** Each collection may find some more garbage, so this can take several attempts. */
        private static void acquireWithFullHeap() {
            boolean thrown = false;
            while (!thrown) {
                fillHeap();
                try {
                    CpuGuard.acquire().close();
                } catch (OutOfMemoryError e) {
                    thrown = true;
                }
            }
            hoard = null;
        }

        /** Leaves no piece as large as a guard. */
        private static void fillHeap() {
            for (int length = 1 << 20; length > 0; length /= 2) {
                try {
                    while (true) {
                        Object[] more = new Object[length];
                        more[0] = hoard;
                        hoard = more;
                    }
                } catch (OutOfMemoryError e) {
                    // Smaller pieces may still fit.
                }
            }
        }
    }

    /**
     * In the interpreter and in compiled code, where other calls are left. The thread goes on, and does not come back.
     */
    @ParameterizedTest
    @MethodSource("interpretedAndCompiled")
    void aStackOverflowAtAnyDepthLeavesNoCpuBehind(String option) {
        assertThat(Jvm.asHere().option(option).option("-Xbatch").outputOf(StackOverflow.class))
                .contains("free");
    }

    static Stream<String> interpretedAndCompiled() {
        return Stream.of("-Xint", "-XX:TieredStopAtLevel=1", "-XX:-TieredCompilation");
    }

    /** Runs each step at each of the last depths before the stack's end. */
    static final class StackOverflow {
        private static final int LAST_DEPTHS = 400;
        private static final int WARM_UP = 20_000;
        private static final long STACK_BYTES = 256 << 10;

        private static int deepest;

        private StackOverflow() {}

        public static void main(String[] arguments) throws Exception {
            for (int i = 0; i < WARM_UP; i++) {
                CpuGuard.acquire().close();
            }
            try (LogCapture log = new LogCapture()) {
                int acquired = atEachDepth(
                        depth -> runAt(depth, () -> CpuGuard.acquire().close()));
                int acquiredOther = atEachDepth(
                        depth -> runAt(depth, () -> CpuGuard.acquire(FIRST).close()));
                int afterAcquiring = log.messages().size();
                int closed = atEachDepth(StackOverflow::closeAt);
                System.out.println(acquired + ", " + acquiredOther + " and " + closed + " broken off, " + afterAcquiring
                        + " and " + (log.messages().size() - afterAcquiring) + " left behind");
                if (Math.min(acquired, Math.min(acquiredOther, closed)) == 0) {
                    throw new AssertionError("a step that never overflowed the stack");
                }
            }
            System.out.println("free");
        }

        /**
         * All in one thread. After each depth, it is another thread that needs the CPUs.
         *
         * @return at how many depths the stack overflowed
         */
        private static int atEachDepth(IntPredicate step) throws Exception {
            int overflows = 0;
            ThreadFactory small = task -> new Thread(null, task, "overflowing", STACK_BYTES);
            try (ExecutorService overflowing = Executors.newSingleThreadExecutor(small)) {
                overflowing.submit(StackOverflow::findDeepest).get();
                for (int depth = deepest; depth > deepest - LAST_DEPTHS; depth--) {
                    int last = depth;
                    overflows += overflowing.submit(() -> step.test(last)).get() ? 1 : 0;
                    acquireAll();
                }
            }
            return overflows;
        }

        /**
         * Finds the last depth that the stack is enough for. Code that the JIT compiler has just finished needs less of
         * it, so this looks again until it finds what it found before.
         */
        private static void findDeepest() {
            int before;
            do {
                before = deepest;
                int enough = 1;
                int tooMuch = 2;
                while (!runAt(tooMuch, () -> {})) {
                    enough = tooMuch;
                    tooMuch *= 2;
                }
                while (tooMuch - enough > 1) {
                    int middle = (enough + tooMuch) / 2;
                    if (runAt(middle, () -> {})) {
                        tooMuch = middle;
                    } else {
                        enough = middle;
                    }
                }
                deepest = enough;
            } while (deepest != before);
        }

        /** A close that an error broke off is repeated where there is enough stack. */
        private static boolean closeAt(int depth) {
            CpuGuard guard = CpuGuard.acquire();
            boolean overflowed = runAt(depth, guard::close);
            if (overflowed) {
                guard.close();
            }
            for (CpuId cpu : CpuMask.possible()) {
                if (CpuGuard.owner(cpu).equals(Optional.of(Thread.currentThread()))) {
                    throw new AssertionError(cpu + " is owned after close");
                }
            }
            return overflowed;
        }

        /** Whether the stack was too small. */
        private static boolean runAt(int depth, Runnable step) {
            try {
                dive(depth, step);
                return false;
            } catch (StackOverflowError e) {
                return true;
            }
        }

        private static void dive(int depth, Runnable step) {
            if (depth == 0) {
                step.run();
            } else {
                dive(depth - 1, step);
            }
        }
    }

    /** A thread that cannot be started is the report's, and the acquisition does not need it. */
    @Test
    @Tag("native")
    void atTheLimitOfThreadsADeadOwnersCpuIsTakenOver() {
        assertThat(Jvm.asHere().outputOf(ThreadsRefused.class)).contains("free");
    }

    static final class ThreadsRefused {
        private static final int EAGAIN = 11;

        private ThreadsRefused() {}

        public static void main(String[] arguments) throws InterruptedException {
            Holder.of(FIRST).die();
            Seccomp.refuse(Machine.Call.CLONE, EAGAIN);
            Seccomp.refuse(Machine.Call.CLONE3, EAGAIN);
            CpuGuard.acquire(FIRST).close();
            if (Ownership.owner(FIRST.id()) == 0) {
                System.out.println("free");
            }
        }
    }

    /** A thread that is preempted where it owns a CPU and has no guard yet is not mistaken for one that never will. */
    @Test
    @Tag("native")
    void aThreadBetweenAcquiringAndHavingAGuardIsLeftAlone() {
        assertThat(Jvm.asHere().outputOf(SlowAcquisition.class)).contains("free", "no reports");
    }

    static final class SlowAcquisition {
        private static final int THREADS = 4;
        private static final int ROUNDS = 10;

        /** Several times of what makes a waiting thread suspicious. */
        private static final long DELAY_MILLIS = 50;

        private SlowAcquisition() {}

        public static void main(String[] arguments) throws InterruptedException {
            Interposed.replace(GuardWords.class, SlowAcquisition::slow);
            int[] inside = new int[2];
            try (LogCapture log = new LogCapture()) {
                Workers.run("slow-", THREADS, number -> {
                    for (int round = 0; round < ROUNDS; round++) {
                        try (CpuGuard guard = CpuGuard.acquire(FIRST)) {
                            if (++inside[0] != 1) {
                                throw new AssertionError("two threads are inside of " + guard);
                            }
                            inside[1]++;
                            inside[0]--;
                        }
                    }
                });
                // A machine that is taken away for two seconds has any guard held for long.
                List<String> reports = log.messages().stream()
                        .filter(message -> !message.contains("held for over"))
                        .toList();
                System.out.println(reports.isEmpty() ? "no reports" : reports);
            }
            System.out.println(inside[1] == THREADS * ROUNDS ? "free" : "lost updates");
        }

        private static GuardWords slow(GuardWords words) {
            return new GuardWords() {
                @Override
                public int tryAcquire(long owner) {
                    return words.tryAcquire(owner);
                }

                @Override
                public boolean tryAcquireOn(int cpu, long owner) {
                    boolean acquired = words.tryAcquireOn(cpu, owner);
                    long start = System.nanoTime();
                    while (acquired && System.nanoTime() - start < TimeUnit.MILLISECONDS.toNanos(DELAY_MILLIS)) {
                        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(DELAY_MILLIS));
                    }
                    return acquired;
                }

                @Override
                public void release(int cpu) {
                    words.release(cpu);
                }
            };
        }
    }

    /** It is started where C code acquires guards, and nobody else frees what Java's threads left behind then. */
    @Test
    @Tag("native")
    void theThreadThatWatchesForCodeInCSurvivesAFullHeap() {
        assertThat(Jvm.asHere().option("-Xmx16m").outputOf(WatcherWithFullHeap.class))
                .contains("free");
    }

    static final class WatcherWithFullHeap {
        /** It looks once a second. */
        private static final long SEVERAL_LOOKS_MILLIS = 4_000;

        private WatcherWithFullHeap() {}

        public static void main(String[] arguments) throws InterruptedException {
            NativeOwners.expect();
            Holder dying = Holder.of(FIRST);
            FullHeap.fillHeap();
            try {
                dying.die();
                Thread.sleep(SEVERAL_LOOKS_MILLIS);
            } finally {
                FullHeap.hoard = null;
            }
            Holder.of(FIRST).die();
            while (Ownership.owner(FIRST.id()) != 0) {
                Thread.sleep(1);
            }
            System.out.println("free");
        }
    }

    /** Each CPU, in a thread of its own, as a wait for a guard that nobody frees would not end. */
    private static void acquireAll() throws InterruptedException {
        AtomicBoolean had = new AtomicBoolean();
        Thread heir = new Thread(() -> {
            for (CpuId cpu : CpuMask.possible()) {
                CpuGuard.acquire(cpu).close();
            }
            had.set(true);
        });
        heir.setDaemon(true);
        heir.start();
        heir.join(TimeUnit.MINUTES.toMillis(1));
        if (!had.get()) {
            System.out.println(heir.isAlive() ? "a guard is never released" : "a guard cannot be acquired");
            System.exit(1);
        }
    }
}
