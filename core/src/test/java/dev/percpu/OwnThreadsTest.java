package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.cpu.CpuId;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.LogCapture;
import java.lang.ref.Reference;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Threads of the library's own run while its classes are being initialized, and for as long as the process lives. So
 * they take nothing over from whoever uses the library first.
 */
class OwnThreadsTest {
    /** The thread of the area is there only if there is an area. */
    @Test
    @Tag("native")
    void theyInheritNothingFromTheFirstUser() {
        assertThat(Jvm.asHere().outputOf(Probe.class).lines())
                .containsExactly(
                        "inherited: 0",
                        "percpu-area is in group system",
                        "percpu-last-reports is in group system",
                        "percpu-reporter is in group system",
                        "a user's task inherits: true");
    }

    /** Runs in a JVM of its own. */
    static final class Probe {
        private static final CpuId CPU = CpuId.of(0);

        private static final AtomicInteger INHERITED = new AtomicInteger();

        private static final InheritableThreadLocal<String> LOCAL = new InheritableThreadLocal<>() {
            @Override
            protected String childValue(String value) {
                int _ = INHERITED.incrementAndGet();
                return value;
            }
        };

        private static final ClassLoader USERS = new ClassLoader() {};

        private Probe() {}

        public static void main(String[] arguments) throws Exception {
            FutureTask<Void> user = new FutureTask<>(Probe::use, null);
            new Thread(new ThreadGroup("a user's"), user).start();
            user.get();
        }

        private static void use() {
            LOCAL.set("a user's");
            Thread.currentThread().setContextClassLoader(USERS);
            new PerCpuCounter("named").increment();
            // While a report is made, all threads that are about reports are alive.
            var threads = new CompletableFuture<List<String>>();
            var log = new LogCapture(() -> threads.complete(ownThreads()));
            try {
                Holder.of(
                                CPU,
                                Thread.ofPlatform()
                                        .inheritInheritableThreadLocals(false)
                                        .factory())
                        .die();
                try (CpuGuard _ = CpuGuard.acquire(CPU)) {
                    threads.join();
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            } finally {
                Reference.reachabilityFence(log);
            }
            System.out.println("inherited: " + INHERITED);
            threads.join().forEach(System.out::println);
            boolean[] same = {true};
            CpuId.onEachCpu(_ -> {
                Thread current = Thread.currentThread();
                same[0] &= "a user's".equals(LOCAL.get())
                        && current.getContextClassLoader() == USERS
                        && groupOf(current).equals("a user's");
            });
            System.out.println("a user's task inherits: " + same[0]);
        }

        /** Each with its group, and whether it keeps the user's class loader. */
        private static List<String> ownThreads() {
            return Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().startsWith("percpu-"))
                    .map(thread -> thread.getName() + " is in group " + groupOf(thread)
                            + (thread.getContextClassLoader() == USERS ? ", and keeps the user's class loader" : ""))
                    .distinct()
                    .sorted()
                    .toList();
        }

        /** A thread that ends meanwhile is in none. */
        private static String groupOf(Thread thread) {
            ThreadGroup group = thread.getThreadGroup();
            return group == null ? "none" : group.getName();
        }
    }
}
