package dev.percpu.internal.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.percpu.CpuGuard;
import dev.percpu.cpu.CpuId;
import dev.percpu.internal.failure.Reporter;
import dev.percpu.internal.linux.KernelThreads;
import dev.percpu.testing.Deployment;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.LogCapture;
import dev.percpu.testing.Workers;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class ReportsTest {
    /** As after an error in a class initializer: the class that names threads of C code cannot be had any more. */
    @Test
    @Tag("native")
    void aReportThatCannotBeMadeIsCountedAndThrowsNothing() throws Exception {
        // The boot loader as the parent: the platform's class loader finds the classes of all named modules, these too.
        // The class path too: a few changed classes can lie in front of the library.
        URL[] library = Stream.concat(
                        Stream.of(Reports.class
                                .getProtectionDomain()
                                .getCodeSource()
                                .getLocation()),
                        Stream.of(Deployment.classPath()))
                .toArray(URL[]::new);
        try (URLClassLoader loader = new URLClassLoader(library, null) {
            @Override
            protected Class<?> findClass(String name) throws ClassNotFoundException {
                if (name.equals(KernelThreads.class.getName())) {
                    throw new ClassNotFoundException(name);
                }
                return super.findClass(name);
            }
        }) {
            Method takenOver =
                    loader.loadClass(Reports.class.getName()).getDeclaredMethod("takenOver", int.class, long.class);
            takenOver.setAccessible(true);
            assertThatCode(() -> takenOver.invoke(null, 0, -1L)).doesNotThrowAnyException();
            Field lost = loader.loadClass(Reporter.class.getName()).getDeclaredField("lost");
            lost.setAccessible(true);
            assertThat(lost.getLong(null)).isEqualTo(1);
        }
    }

    /** Also if it is stuck in a logger, and reports wait. */
    @Test
    void oneThreadMakesAllReports() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        Reporter.queue(() -> {
            begun.countDown();
            Workers.await(end);
        });
        begun.await();
        for (int i = 0; i < 3; i++) {
            Reporter.queue(() -> {});
        }
        assertThat(Thread.getAllStackTraces().keySet().stream()
                        .filter(thread -> thread.getName().equals("percpu-reporter")))
                .hasSize(1);
        end.countDown();
    }

    /**
     * The logger throws at the first report, and at the message that one was lost. Whatever it throws, and even if it
     * interrupts the one thread that reports, that thread makes the next report.
     */
    @Test
    void howManyWereLostIsToldOnceTheLoggerTakesIt() throws InterruptedException {
        awaitReports();
        AtomicInteger logged = new AtomicInteger();
        try (LogCapture log = new LogCapture(() -> {
            int number = logged.incrementAndGet();
            if (number == 1) {
                Thread.currentThread().interrupt();
                throw new StackOverflowError("not really");
            }
            if (number == 3) {
                throw new IllegalStateException("a logger's");
            }
        })) {
            for (int i = 0; i < 3; i++) {
                Reports.longWait(Reports.LONG_NANOS, "lock", "a reason");
            }
            while (log.messages().size() < 5) {
                Thread.sleep(1);
            }
            assertThat(log.messages().getLast()).contains("lost before this one: 2");
        }
    }

    /** The reporter is stuck in a logger, and reports wait. */
    @Test
    void aReportThatWaitsKeepsNoThread() throws InterruptedException {
        CountDownLatch stuck = new CountDownLatch(1);
        Reporter.queue(() -> {
            try {
                stuck.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        try {
            List<WeakReference<Thread>> ended = List.of(
                    reported(id -> Reports.longHeld(0, id, Reports.LONG_NANOS, 1)),
                    reported(id -> Reports.takenOver(0, id)));
            while (ended.stream().anyMatch(thread -> thread.get() != null)) {
                System.gc();
                Thread.sleep(1);
            }
        } finally {
            stuck.countDown();
            awaitReports();
        }
    }

    /**
     * Returns when all that was queued is reported, and all that was lost is told. Otherwise that would be in the log
     * that the next test captures. What was lost before the first of these two is told before the second one runs.
     */
    private static void awaitReports() {
        CountDownLatch both = new CountDownLatch(2);
        Reporter.queue(both::countDown);
        Reporter.queue(both::countDown);
        Workers.await(both);
    }

    /** A thread that has owned a guard, was reported, and has ended. */
    private static WeakReference<Thread> reported(LongConsumer report) throws InterruptedException {
        Thread owner = Thread.ofPlatform().start(() -> {
            try (CpuGuard guard = CpuGuard.acquire()) {
                assertThat(guard.cpu()).isNotNull();
            }
        });
        owner.join();
        report.accept(owner.threadId());
        return new WeakReference<>(owner);
    }

    /** Ends as soon as there is something to report. The logger goes on when the main thread has ended. */
    @SuppressWarnings("MustBeClosedChecker") // an open guard is what the report is about
    static final class ProbeThatEndsAtOnce {
        private ProbeThatEndsAtOnce() {}

        public static void main(String[] arguments) throws InterruptedException {
            // The first logger of a JVM takes its time, and the library waits for five seconds only.
            System.getLogger("another").log(System.Logger.Level.DEBUG, "links loggers");
            Thread main = Thread.currentThread();
            var log = new LogCapture(() -> {
                Workers.join(main);
                System.out.println("told");
                if (arguments.length > 0) {
                    Workers.await(new CountDownLatch(1));
                }
            });
            try {
                leaveAGuardBehind();
                CpuGuard.acquire(CpuId.of(0)).close();
            } finally {
                Reference.reachabilityFence(log);
            }
        }

        private static void leaveAGuardBehind() throws InterruptedException {
            Thread owner = Thread.ofPlatform().start(() -> CpuGuard.acquire(CpuId.of(0)));
            owner.join();
        }
    }

    @Test
    @Tag("once")
    void aProgramThatEndsAtOnceStillReports() {
        assertThat(Jvm.asHere().outputOf(ProbeThatEndsAtOnce.class)).contains("told");
    }

    @Test
    @Tag("once")
    void aLoggerThatNeverReturnsKeepsNoProgramFromEnding() {
        assertThat(Jvm.asHere().outputOf(ProbeThatEndsAtOnce.class, "never")).contains("told");
    }
}
