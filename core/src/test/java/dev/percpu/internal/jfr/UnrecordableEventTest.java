package dev.percpu.internal.jfr;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.CpuGuard;
import dev.percpu.Holder;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.cpu.CpuId;
import dev.percpu.testing.Deployment;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.LogCapture;
import dev.percpu.testing.StackEnd;
import java.io.IOException;
import java.lang.ref.Reference;
import java.net.URLClassLoader;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Recording;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** An event that cannot be recorded is missing. What it is about goes on. */
@SuppressWarnings("MustBeClosedChecker") // what waits is the subject
class UnrecordableEventTest {
    private static final CpuId CPU = CpuId.of(0);

    /**
     * The first event of a class registers the class, deep in calls of the flight recorder. If that fails once, the
     * class stays unusable.
     */
    @Test
    void aStackThatEndsInAFirstEventDoesNoLastingDamage() {
        assertThat(Jvm.asHere().option("-Xss400k").outputOf(AtStackEnd.class))
                .contains(
                        "wait for a guard: failed at first, not in its event, works\n",
                        "search of an exhausted pool: failed at first, not in its event, works\n",
                        "wait for an object of it: failed at first, not in its event, works\n");
    }

    /** Runs in a JVM of its own. */
    static final class AtStackEnd {
        private AtStackEnd() {}

        public static void main(String[] arguments) throws Exception {
            try (Recording recording = new Recording()) {
                recording.enable("dev.percpu.PoolExhausted");
                recording.enable("dev.percpu.PoolAwaited");
                recording.enable("dev.percpu.GuardContended");
                recording.start();
                Holder holder = Holder.of(CPU);
                tell("wait for a guard", () -> CpuGuard.tryAcquire(CPU, 2, TimeUnit.MILLISECONDS) == null);
                holder.release();
                PerCpuPool<Object> pool = PerCpuPool.builder(1, Object::new).build();
                pool.acquire();
                tell("search of an exhausted pool", () -> pool.tryAcquire() == null);
                tell("wait for an object of it", () -> pool.tryAcquire(2, TimeUnit.MILLISECONDS) == null);
            }
        }

        private static void tell(String what, Callable<Boolean> use) throws Exception {
            List<Throwable> failures = StackEnd.failures(use);
            System.out.println(what + ": " + (failures.isEmpty() ? "passed" : "failed") + " at first, "
                    + (failures.stream().anyMatch(AtStackEnd::isInEvent) ? "" : "not ") + "in its event, "
                    + (use.call() ? "works" : "does something else"));
        }

        /** Whether it came out of a call that makes or records an event. That call itself may lack room. */
        private static boolean isInEvent(Throwable failure) {
            return Stream.of(failure.getStackTrace()).skip(1).anyMatch(AtStackEnd::isOfEvent);
        }

        private static boolean isOfEvent(StackTraceElement frame) {
            return frame.getClassName().equals(dev.percpu.internal.jfr.Recording.class.getName())
                    || frame.getMethodName().equals("describe");
        }
    }

    /** Without native access there is no area that fills. */
    @Test
    @Tag("native")
    void withoutEventClassesEverythingElseIsAsUsual() {
        String output = Jvm.asHere().option("-Dpercpu.area.stride=8m").outputOf(WithoutEvents.class);
        assertThat(output.lines())
                .containsExactly(
                        "PoolExhausted cannot be loaded",
                        "found nothing",
                        "GuardContended cannot be loaded",
                        "GuardHeldLong cannot be loaded",
                        "reported, and acquired later",
                        "GuardTakenOver cannot be loaded",
                        "reported, and taken over",
                        "AreaFilling cannot be loaded, and others can use the area meanwhile",
                        "allocated");
    }

    /** Runs in a JVM of its own. */
    static final class WithoutEvents {
        private WithoutEvents() {}

        public static void main(String[] arguments) throws Exception {
            try (Recording recording = new Recording();
                    URLClassLoader loader = new NoEvents()) {
                recording.start();
                ((Runnable) Deployment.make(loader, Uses.class)).run();
            }
        }
    }

    /** What has a name later makes up for it: perhaps no other recording ever starts, which would do so too. */
    @Test
    void whatFailsWhenARecordingStartsIsAddedToItLater() {
        assertThat(Jvm.asHere().outputOf(FailsAtStart.class).lines())
                .containsExactly(
                        "the recorder starts, but not all goes well",
                        "a recording starts, but not all goes well",
                        "[dev.percpu.Area, dev.percpu.BackEnd, dev.percpu.Variable]");
    }

    /** Runs in a JVM of its own. */
    static final class FailsAtStart {
        private FailsAtStart() {}

        public static void main(String[] arguments) throws Exception {
            try (URLClassLoader loader = new FailsTwice()) {
                ((Runnable) Deployment.make(loader, Names.class)).run();
            }
        }
    }

    /** Loads the library and all else again. Its heap is at the end the first two times that it is to load an event. */
    private static final class FailsTwice extends URLClassLoader {
        private int failures;

        private FailsTwice() throws Exception {
            super(Deployment.classPath(), ClassLoader.getPlatformClassLoader());
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            if (name.equals(AreaEvent.class.getName()) && failures < 2) {
                failures++;
                throw new OutOfMemoryError("for example");
            }
            return super.findClass(name);
        }
    }

    /** Loaded by that loader. */
    static final class Names implements Runnable {
        Names() {}

        @Override
        public void run() {
            PerCpuCounter before = new PerCpuCounter("before");
            start("the recorder", FlightRecorder::getFlightRecorder);
            try (Recording recording = new Recording()) {
                recording.enable("dev.percpu.BackEnd").with("period", "endChunk");
                recording.enable("dev.percpu.Area").with("period", "endChunk");
                recording.enable("dev.percpu.Variable").with("period", "endChunk");
                start("a recording", recording::start);
                PerCpuCounter later = new PerCpuCounter("later");
                // The first use chooses the back end.
                later.increment();
                recording.stop();
                Set<String> names = Recordings.eventsOf(recording).stream()
                        .map(event -> event.getEventType().getName())
                        .collect(Collectors.toCollection(TreeSet::new));
                System.out.println(names);
            } catch (IOException e) {
                throw new AssertionError(e);
            } finally {
                Reference.reachabilityFence(before);
            }
        }

        private static void start(String what, Runnable action) {
            try {
                action.run();
                System.out.println(what + " starts");
            } catch (OutOfMemoryError e) {
                System.out.println(what + " starts, but not all goes well");
            }
        }
    }

    /** Loads the library and all else again, but no event class: its stack or its heap is at the end. */
    private static final class NoEvents extends URLClassLoader {
        private static final String PACKAGE = UnrecordableEventTest.class.getPackageName() + ".";
        private static final String SUFFIX = "Event";

        static {
            // So that two threads can load classes at a time.
            if (!registerAsParallelCapable()) {
                throw new AssertionError("loads one class at a time");
            }
        }

        private NoEvents() throws Exception {
            super(Deployment.classPath(), ClassLoader.getPlatformClassLoader());
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            if (!name.startsWith(PACKAGE) || !name.endsWith(SUFFIX)) {
                return super.findClass(name);
            }
            boolean isOfArea = name.endsWith("AreaFillingEvent");
            System.out.println(name.substring(PACKAGE.length(), name.length() - SUFFIX.length()) + " cannot be loaded"
                    + (isOfArea ? ", and others can use the area meanwhile" : ""));
            if (isOfArea) {
                useAreaInAnotherThread();
                throw new OutOfMemoryError("for example");
            }
            throw new StackOverflowError("for example");
        }

        /** If this thread had the area's lock, neither would ever go on. */
        private void useAreaInAnotherThread() {
            try {
                Runnable use = (Runnable) Deployment.make(this, UsesArea.class);
                Thread other = Thread.ofPlatform().start(use);
                other.join();
            } catch (ReflectiveOperationException | InterruptedException e) {
                throw new LinkageError("the other thread", e);
            }
        }
    }

    /** Loaded by that loader. */
    static final class UsesArea implements Runnable {
        UsesArea() {}

        @Override
        public void run() {
            new PerCpuCounter().increment();
        }
    }

    /** Loaded by that loader. */
    static final class Uses implements Runnable {
        private static final int COUNTERS = 600_000;

        Uses() {}

        @Override
        public void run() {
            try {
                searchPool();
                waitForGuard();
                takeGuardOver();
                System.out.println(
                        new PerCpuCounterArray(COUNTERS).length() == COUNTERS ? "allocated" : "not allocated");
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        private static void searchPool() throws InterruptedException {
            PerCpuPool<Object> pool = PerCpuPool.builder(1, Object::new).build();
            pool.acquire();
            System.out.println("found " + (pool.tryAcquire() == null ? "nothing" : "something"));
        }

        private static void waitForGuard() throws InterruptedException {
            Holder holder = Holder.of(CPU);
            try (LogCapture log = new LogCapture()) {
                Thread waiter =
                        Thread.ofPlatform().start(() -> CpuGuard.acquire(CPU).close());
                boolean reported = log.first().matches("(?s).*held for over \\d+ s.*");
                holder.release();
                waiter.join();
                try (CpuGuard _ = CpuGuard.acquire(CPU)) {
                    System.out.println((reported ? "reported" : "not reported") + ", and acquired later");
                }
            }
        }

        private static void takeGuardOver() throws InterruptedException {
            try (LogCapture log = new LogCapture()) {
                Holder.of(CPU).die();
                try (CpuGuard _ = CpuGuard.acquire(CPU)) {
                    boolean reported = log.first().contains("taken over");
                    System.out.println((reported ? "reported" : "not reported") + ", and taken over");
                }
            }
        }
    }
}
