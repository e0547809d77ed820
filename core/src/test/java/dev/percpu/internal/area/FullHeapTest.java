package dev.percpu.internal.area;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.CpuGuard;
import dev.percpu.PerCpuDouble;
import dev.percpu.PerCpuNumeric;
import dev.percpu.StaticPerCpu;
import dev.percpu.concurrent.PerCpuBuckets;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PerCpuReadWriteLock;
import dev.percpu.concurrent.Pooled;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.extern.RefusedLibrary;
import dev.percpu.internal.guard.Owners;
import dev.percpu.internal.guard.Ownership;
import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.protocol.StackRoom;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Deployment;
import dev.percpu.testing.FilledHeap;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.TestInOwnJvm;
import dev.percpu.testing.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.management.ManagementFactory;
import java.lang.ref.Reference;
import java.lang.reflect.InvocationTargetException;
import java.net.MalformedURLException;
import java.util.regex.Pattern;
import javax.management.JMException;
import javax.management.ObjectName;
import org.junit.jupiter.api.Tag;

/**
 * What is kept of the area if the heap is full. A JVM of its own leaves an operation a few bytes, then a few more,
 * until it no longer fails: so first its first allocation fails, then its second one, and so on.
 *
 * <p>This file is longer than others: all of its probes fill the heap in the same way.
 */
@Tag("native")
class FullHeapTest {
    private static final String MADE = "it is made";

    /** A class that has no initializer is logged as {@code 'java/util/ArrayList$Itr'(no method)}. */
    private static final Pattern INITIALIZER = Pattern.compile("Initializing '[^']*' .* by thread \"main\"");

    private static final Pattern OF_FOREIGN =
            Pattern.compile("Initializing 'jdk/internal/foreign/.* by thread \"main\"");

    /** Without the thread that collects memory: when it names the class depends on how busy the machine is. */
    private static final Pattern NAMES_REFERENCE = Pattern.compile(
            "^dev\\.percpu\\.(?!internal\\.area\\.DetachedThread)\\S+ java\\.lang\\.ref\\.Reference ",
            Pattern.MULTILINE);

    @TestInOwnJvm
    void aPieceThatCouldNotBeLentIsNotLent() {
        assertThat(probe("lend")).isEqualTo("failed first, and lent 1 time, 1 piece");
    }

    @TestInOwnJvm
    void theAreaCanBeLentOnceThereIsMemoryAgain() {
        assertThat(probe("area")).isEqualTo("failed first, and lent");
    }

    @TestInOwnJvm
    void aStaticNumberThatCouldNotBeDefinedHasNoMemory() {
        assertThat(probe("numbers")).isEqualTo("failed first, and took 32 bytes");
    }

    @TestInOwnJvm
    void memoryThatCouldNotBeClearedComesBackOnceThereIsMemoryAgain() {
        assertThat(probe("clearing")).isEqualTo("failed first, and took 0 bytes");
    }

    /**
     * How the heap is filled leaves a few bytes more or less, so with the test above an initializer may have memory by
     * luck. The JVM's log tells for sure whether there is one.
     */
    @TestInOwnJvm
    void theFirstMemoryThatComesBackInitializesNoClassOfTheJdk() {
        assertThat(logged(ProbeOfClearing.class)).contains("it is zero").doesNotContainPattern(OF_FOREIGN);
    }

    /** The same goes for lending, and for a lambda: if the JVM cannot link one, it may never try again. */
    @TestInOwnJvm
    void theFirstPieceThatIsLentRunsNoClassInitializerAndLinksNoLambda() {
        assertThat(logged(ProbeOfLending.class))
                .contains("it is lent")
                .doesNotContainPattern(INITIALIZER)
                .doesNotContain("$$Lambda");
    }

    /**
     * The first time that any class of the library names a class of the JDK, the JVM asks the library's class loader
     * for it, which takes memory. Operations name {@code Reference} after their commit, when nothing may fail any more.
     */
    @TestInOwnJvm
    void theFirstOperationAsksForNoClassAfterItsCommit() {
        Jvm.Result result =
                Jvm.asHere().option("-Xlog:class+resolve=debug:stdout:none").run(ProbeOfFence.class);
        assertThat(result.output().split(MADE, 2)[0]).containsPattern(NAMES_REFERENCE);
    }

    /** Makes a number, and updates it. */
    static final class ProbeOfFence {
        private ProbeOfFence() {}

        public static void main(String[] arguments) {
            PerCpuNumeric number = PerCpuNumeric.create(NumericWidth.LONG);
            System.out.println(MADE);
            number.increment();
        }
    }

    /** What a probe printed after {@link #MADE}, between the classes that the JVM initialized. */
    private static String logged(Class<?> probe) {
        Jvm.Result result =
                Jvm.asHere().option("-Xlog:class+init=info:stdout:none").run(probe);
        int made = result.output().indexOf(MADE);
        // Or there would be nothing in the rest either, whatever the probe does.
        assertThat(result.output().substring(0, made)).containsPattern(INITIALIZER);
        return result.output().substring(made);
    }

    /** Has memory come back that is not zero. */
    static final class ProbeOfClearing {
        private ProbeOfClearing() {}

        public static void main(String[] arguments) {
            Claim claim = Area.claim(Long.BYTES, Long.BYTES, "a probe");
            long position = claim.position();
            Area.LONG.set(Area.MEMORY, Area.offset(0, position), 1L);
            System.out.println(MADE);
            claim.close();
            long left = (long) Area.LONG.get(Area.MEMORY, Area.offset(0, position));
            System.out.println(left == 0 ? "it is zero" : "it is not zero");
        }
    }

    /** Lends a piece, and takes it back. */
    static final class ProbeOfLending {
        private ProbeOfLending() {}

        public static void main(String[] arguments) {
            MemorySegment lender = Arena.global().allocate(ValueLayout.JAVA_LONG);
            long _ = Area.usedBytesPerCpu();
            System.out.println(MADE);
            Area.lend(CpuHeader.SIZE, 8, lender).run();
            System.out.println("it is lent");
        }
    }

    @TestInOwnJvm
    void theFirstLibraryCanBePlacedOnceThereIsMemoryAgain() {
        assertThat(probe("library")).isEqualTo("failed first, and asked the library");
    }

    /** The first reader in the process to open a counter of a read-write lock for others does more than any other. */
    @TestInOwnJvm
    void aReaderWhoseCallFailedIsNotInside() {
        assertThat(probe("reader")).isEqualTo("4 locks, 4 writers");
    }

    /** The first reader in the process to go out through a counter that it has opened. */
    @TestInOwnJvm
    void aReaderThatOpenedACounterCanLeave() {
        assertThat(probe("leaver")).isEqualTo("2 locks, 2 writers");
    }

    @TestInOwnJvm
    void twoAdditionsAreBothMadeOrNone() {
        assertThat(probe("pair")).isEqualTo("a sum of 1.0, and a count of 1");
    }

    /** The JVM links a call when it is first made: one for sequences with up to two numbers, and one for the others. */
    @TestInOwnJvm
    void theFirstExchangeNeedsLittleMemory() {
        assertThat(probe("exchange")).isEqualTo("it took less than a KiB");
    }

    @TestInOwnJvm
    void theFirstReleaseNeedsLittleMemory() {
        assertThat(probe("release")).isEqualTo("it took less than a KiB");
    }

    /** Nobody could repeat it: no class of the library is left by then. */
    @TestInOwnJvm
    void theEndOfTheAreaNeedsLittleMemory() {
        assertThat(probe("end")).isEqualTo("it took less than a KiB, and told the library");
    }

    /** Whoever waits for the guard looks the owner up, and takes one that it does not find for one that has ended. */
    @TestInOwnJvm
    void aThreadThatCouldNotBeRegisteredAtFirstKeepsItsGuard() {
        assertThat(probe("owner")).isEqualTo("failed first, and keeps its guard");
    }

    private static String probe(String operation) {
        Jvm.Result result = Jvm.asHere()
                .option("-Xmx8m")
                // Without buffers for threads there is one end of the heap, so it can be filled exactly.
                .option("-XX:-UseTLAB")
                .run(Probe.class, operation);
        return result.output().strip();
    }

    static final class Probe {
        /** By how much the room grows. The first call of a kind takes more of it. */
        private static final int STEP = 32;

        private static final int FIRST_STEP = 1 << 10;
        private static final int LOCKS = 4;
        private static final int ROOMS = 4;

        /** So many reads open the stripes, and so many more the tally. Those around these have a full heap. */
        private static final int STRIPES_READS = 16;

        private static final int TALLY_READS = 2_000;
        private static final int AROUND = 4;
        private static final int LEFT_LOCKS = 2;

        private static final FilledHeap HEAP = new FilledHeap();

        private static int failures;

        private Probe() {}

        public static void main(String[] arguments) throws Throwable {
            rehearse();
            switch (arguments[0]) {
                case "lend" -> lend();
                case "area" -> lendOfArea();
                case "library" -> place();
                case "clearing" -> clear();
                case "reader" -> read();
                case "leaver" -> leave();
                case "pair" -> add();
                case "exchange" -> exchange();
                case "release" -> release();
                case "end" -> end();
                case "owner" -> own();
                default -> define();
            }
        }

        private static void define() {
            Runnable[] definitions = {
                () -> {
                    PerCpuNumeric _ = PerCpuNumeric.define("number", NumericWidth.LONG);
                },
                () -> {
                    PerCpuDouble _ = PerCpuDouble.define("double", 1);
                },
                () -> {
                    StaticPerCpu<?> _ = StaticPerCpu.defineNumeric("guarded", NumericWidth.LONG, 1);
                },
                () -> {
                    StaticPerCpu<?> _ = StaticPerCpu.define("memory", ValueLayout.JAVA_LONG);
                }
            };
            for (Runnable definition : definitions) {
                definition.run();
            }
            long before = Area.usedBytesPerCpu();
            for (Runnable definition : definitions) {
                untilItSucceeds(definition, STEP);
            }
            // With this, what could not be given back at once is tried again.
            Area.claim(Long.BYTES, Long.BYTES, "a probe").close();
            System.out.println(told() + "took " + (Area.usedBytesPerCpu() - before) + " bytes");
        }

        private static void clear() {
            long before = Area.usedBytesPerCpu();
            untilItSucceeds(
                    () -> {
                        Claim claim = Area.claim(Long.BYTES, Long.BYTES, "a probe");
                        Area.LONG.set(Area.MEMORY, Area.offset(0, claim.position()), 1L);
                        claim.close();
                    },
                    STEP);
            // With this, what could not be given back at once is tried again.
            Area.claim(Long.BYTES, Long.BYTES, "a probe").close();
            System.out.println(told() + "took " + (Area.usedBytesPerCpu() - before) + " bytes");
        }

        /** One read of each lock is the first to open a counter. */
        @SuppressWarnings("LockNotBeforeTry") // an error ends the probe
        private static void read() {
            int writers = 0;
            for (int number = 0; number < LOCKS; number++) {
                int room = number % ROOMS * STEP;
                PerCpuReadWriteLock lock = new PerCpuReadWriteLock();
                lock.writeLock().lock();
                lock.writeLock().unlock();
                for (int reads = 0; reads <= STRIPES_READS + AROUND; reads++) {
                    if (Math.abs(reads - STRIPES_READS) > AROUND) {
                        lock.readLock().lock();
                    } else if (failsIn(lock.readLock()::lock, room)) {
                        continue;
                    }
                    lock.readLock().unlock();
                }
                writers += lock.writeLock().tryLock() ? 1 : 0;
            }
            System.out.println(LOCKS + " locks, " + writers + " writers");
        }

        /** One reader of each lock opens its stripes, and a later one its tally. They go out through these. */
        @SuppressWarnings("LockNotBeforeTry") // an error ends the probe
        private static void leave() {
            int writers = 0;
            for (int room = 0; room < LEFT_LOCKS * STEP; room += STEP) {
                PerCpuReadWriteLock lock = new PerCpuReadWriteLock();
                for (int reads = 0; reads <= STRIPES_READS + TALLY_READS + AROUND; reads++) {
                    lock.readLock().lock();
                    if (Math.abs(reads - STRIPES_READS) < AROUND
                            || Math.abs(reads - STRIPES_READS - TALLY_READS) < AROUND) {
                        boolean _ = failsIn(lock.readLock()::unlock, room);
                    } else {
                        lock.readLock().unlock();
                    }
                }
                writers += lock.writeLock().tryLock() ? 1 : 0;
            }
            System.out.println(LEFT_LOCKS + " locks, " + writers + " writers");
        }

        private static void add() {
            // So the JVM has linked the first addition of a pair, and not the second.
            PerCpuDouble.create(0).add(1);
            PerCpuBuckets buckets = new PerCpuBuckets(1);
            untilItSucceeds(() -> buckets.record(0, 1), STEP);
            System.out.println("a sum of " + buckets.sum() + ", and a count of " + buckets.counts()[0]);
        }

        private static void exchange() {
            PerCpuNumeric number = PerCpuNumeric.create(NumericWidth.LONG);
            System.out.println(whetherItTakesAKib(() -> number.compareAndExchange(0, 1)));
        }

        private static void release() throws InterruptedException {
            PerCpuPool<Object> pool = PerCpuPool.builder(1, Object::new).build();
            Pooled<Object> pooled = pool.acquire();
            System.out.println(whetherItTakesAKib(pooled::release));
        }

        private static void end() {
            MemorySegment memory = Linux.reserve(2 * Reservation.OPENED_AT_ONCE);
            AreaEnd end = new AreaEnd(memory, memory.byteSize(), 1);
            MemorySegment lender = Arena.global().allocate(ValueLayout.JAVA_LONG);
            lender.set(ValueLayout.JAVA_LONG, 0, memory.address());
            Runnable _ = end.lend(0, Long.BYTES, lender);
            MethodHandle action = end.action();
            String memoryTaken = whetherItTakesAKib(() -> {
                try {
                    action.invokeExact();
                } catch (Throwable e) {
                    throw new AssertionError(e);
                }
            });
            boolean told = lender.get(ValueLayout.JAVA_LONG, 0) == 0;
            System.out.println(memoryTaken + (told ? ", and told the library" : ", and did not tell the library"));
        }

        @SuppressWarnings("MustBeClosedChecker") // what another thread takes from its owner ends the probe
        private static void own() {
            CpuId cpu = CpuMask.usable().iterator().next();
            boolean[] taken = new boolean[1];
            // The process has used a guard before.
            Ownership.initialize();
            untilItSucceeds(() -> Owners.register(Thread.currentThread()), STEP);
            try (CpuGuard _ = CpuGuard.acquire(cpu)) {
                Workers.join(Thread.ofPlatform().start(() -> taken[0] = CpuGuard.tryAcquire(cpu) != null));
            }
            System.out.println(told() + (taken[0] ? "loses its guard" : "keeps its guard"));
        }

        /** By this thread's own allocations: in a heap that is nearly full, any other thread could take the rest. */
        private static String whetherItTakesAKib(Runnable operation) {
            long measuring = bytesThatAreAllocatedBy(() -> {});
            for (int warmUp = 0; warmUp < 3; warmUp++) {
                measuring = bytesThatAreAllocatedBy(() -> {});
            }
            return bytesThatAreAllocatedBy(operation) - measuring > 1 << 10
                    ? "it took more than a KiB"
                    : "it took less than a KiB";
        }

        private static long bytesThatAreAllocatedBy(Runnable operation) {
            long before = allocatedByThisThread();
            operation.run();
            return allocatedByThisThread() - before;
        }

        private static long allocatedByThisThread() {
            try {
                return (long) ManagementFactory.getPlatformMBeanServer()
                        .getAttribute(
                                ObjectName.getInstance(ManagementFactory.THREAD_MXBEAN_NAME),
                                "CurrentThreadAllocatedBytes");
            } catch (JMException e) {
                throw new AssertionError(e);
            }
        }

        private static void place() throws ReflectiveOperationException, MalformedURLException {
            Object other = placeInAnotherCopy();
            RefusedLibrary library = new RefusedLibrary();
            // The process has used a guard before, and a lock.
            Ownership.initialize();
            StackRoom.CURRENT.ensure();
            boolean[] asked = new boolean[1];
            try {
                untilItSucceeds(
                        () -> {
                            try {
                                library.place();
                            } catch (IllegalArgumentException noFunction) {
                                asked[0] = true;
                            }
                        },
                        FIRST_STEP);
            } finally {
                // If the other copy ended while the heap is full, its thread would have no memory to unmap its area.
                Reference.reachabilityFence(other);
            }
            System.out.println(told() + (asked[0] ? "asked the library" : "did not ask the library"));
        }

        /**
         * Has the JDK initialize all that it needs for this. If one of its own classes failed, it would stay unusable,
         * and the library could not help that.
         */
        private static Object placeInAnotherCopy() throws ReflectiveOperationException, MalformedURLException {
            Object library = Deployment.make(Deployment.loader(), RefusedLibrary.class);
            try {
                Object _ = library.getClass().getMethod("place").invoke(library);
            } catch (InvocationTargetException refused) {
                if (!(refused.getCause() instanceof IllegalArgumentException)) {
                    throw refused;
                }
            }
            return library;
        }

        private static void lendOfArea() {
            MemorySegment lender = Arena.global().allocate(ValueLayout.JAVA_LONG);
            long _ = Area.usedBytesPerCpu();
            untilItSucceeds(
                    () -> {
                        Runnable _ = Area.lend(CpuHeader.SIZE, 8, lender);
                    },
                    STEP);
            System.out.println(told() + "lent");
        }

        /** The first use of a handler of exceptions looks its type up, which takes memory. */
        private static void rehearse() {
            boolean _ = failsIn(
                    () -> {
                        throw new OutOfMemoryError();
                    },
                    1 << 14);
        }

        /** An area of no bytes, so that its end can be seen. */
        private static void lend() throws Throwable {
            MemorySegment memory = MemorySegment.ofAddress(1 << 12);
            AreaEnd end = new AreaEnd(memory, 1 << 12, 1);
            MemorySegment lenders = Arena.global().allocate(ValueLayout.JAVA_LONG, 1 << 10);
            for (long i = 0; i < 1 << 10; i++) {
                lenders.setAtIndex(ValueLayout.JAVA_LONG, i, memory.address());
            }
            new AreaEnd(memory, 1 << 12, 1)
                    .lend(0, 8, lenders.asSlice(0, Long.BYTES))
                    .run();
            untilItSucceeds(
                    () -> {
                        Runnable _ = end.lend(0, 8, lenders.asSlice((long) failures * Long.BYTES, Long.BYTES));
                    },
                    STEP);
            end.action().invokeExact();
            long told = 0;
            for (long i = 0; i < 1 << 10; i++) {
                told += lenders.getAtIndex(ValueLayout.JAVA_LONG, i) == 0 ? 1 : 0;
            }
            System.out.println(told() + "lent " + told + (told == 1 ? " time, " : " times, ") + end.pieces()
                    + (end.pieces() == 1 ? " piece" : " pieces"));
        }

        private static String told() {
            return failures > 0 ? "failed first, and " : "never failed, and ";
        }

        private static void untilItSucceeds(Runnable operation, int step) {
            for (int room = 0; failsIn(operation, room); room += step) {
                failures++;
            }
        }

        private static boolean failsIn(Runnable operation, int room) {
            // The first failure is what a probe is about.
            HEAP.fill(room, room == 0 ? FilledHeap.STILL : 0);
            boolean fails = false;
            try {
                operation.run();
            } catch (OutOfMemoryError full) {
                fails = true;
            }
            HEAP.empty();
            return fails;
        }
    }
}
