package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.Garbage;
import dev.percpu.testing.Jvm;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

/**
 * What checked mode finds. It is chosen once for each JVM, so in one of its own, on whose class path are no libraries.
 */
class CheckedPoolTest {
    @Test
    void checkedModeFindsWhatOtherwiseGoesUnnoticed() {
        assertThat(output(Mistakes.class)).contains("all found");
    }

    @Test
    void aHandleThatIsLostIsLogged() {
        String output = output(Loss.class);
        assertThat(output)
                .contains("over, held 1")
                .contains("the handle of object 0 of a PerCpuPool (capacity 1) was lost")
                .contains("acquired here by", "Loss.lose");
        // Those that were released were not.
        assertThat(output.split("was lost", -1)).hasSize(2);
    }

    /** The method toString of a thread is the user's code, and may throw. */
    @Test
    void aThreadIsDescribedWithoutItsOwnToString() {
        assertThat(output(WithoutText.class)).contains("used");
    }

    /** No warning is promised then. */
    @Test
    void aPoolWhoseObjectHasItsHandleCanBeCollected() {
        assertThat(output(Cycle.class)).contains("collected");
    }

    private static String output(Class<?> main) {
        return Jvm.asHere().option("-Dpercpu.checked=true").outputOf(main);
    }

    private record Keeper(Pooled<Keeper> handle) {}

    /** Uses handles after their release. */
    static final class Mistakes {
        private Mistakes() {}

        public static void main(String[] arguments) throws InterruptedException {
            PerCpuPool<StringBuilder> pool =
                    PerCpuPool.builder(1, StringBuilder::new).build();
            Pooled<StringBuilder> first = pool.acquire();
            first.release();
            Pooled<StringBuilder> second = pool.acquire();
            check(second != first && second.get() != null, "a handle of its own");
            assertRefused(first::get);
            assertRefused(first::release);
            assertRefused(first::discard);
            check(first.toString().contains("not held") && second.toString().contains(", held"), first + ", " + second);
            check(second.get() != null, "still held");
            second.discard();
            assertRefused(second::release);
            assertRefused(second::discard);
            second.close();
            assertRefused(first::close);
            try (Pooled<StringBuilder> third = pool.acquire()) {
                check(third.get() != null, "replaced");
            }
            PerCpuPool<Keeper> keepers =
                    PerCpuPool.builderWithHandle(1, Keeper::new).build();
            for (int i = 0; i < 3; i++) {
                keepers.acquire().get().handle.release();
            }
            Pooled<Keeper> kept = keepers.acquire().get().handle;
            kept.discard();
            kept.close();
            try (Pooled<Keeper> handle = keepers.acquire()) {
                handle.get().handle.discard();
            }
            keepers.close();
            pool.close();
            System.out.println("all found");
        }

        private static void assertRefused(Runnable use) {
            try {
                use.run();
            } catch (IllegalStateException e) {
                check(e.getMessage().contains("object 0 of a PerCpuPool (capacity 1)"), e.toString());
                check(e.getSuppressed().length == 2, "where it was acquired and released");
                check(e.getSuppressed()[0].getStackTrace().length > 1, "a stack trace");
                return;
            }
            throw new AssertionError("used after its release");
        }

        private static void check(boolean condition, String what) {
            if (!condition) {
                throw new AssertionError(what);
            }
        }
    }

    /** The object that is held refers to its handle. */
    static final class Cycle {
        private Cycle() {}

        public static void main(String[] arguments) throws InterruptedException {
            WeakReference<Object> pool = makePool();
            Garbage.collectUntil(() -> pool.refersTo(null));
            System.out.println("collected");
        }

        private static WeakReference<Object> makePool() throws InterruptedException {
            PerCpuPool<List<Object>> pool =
                    PerCpuPool.<List<Object>>builder(1, ArrayList::new).build();
            Pooled<List<Object>> handle = pool.acquire();
            handle.get().add(handle);
            return new WeakReference<>(pool);
        }
    }

    /** Releases another thread's object, and then acquires and releases it. */
    static final class WithoutText extends Thread {
        private static final PerCpuPool<StringBuilder> POOL =
                PerCpuPool.builder(1, StringBuilder::new).build();

        private final Pooled<StringBuilder> held;

        private WithoutText(Pooled<StringBuilder> held) {
            this.held = held;
        }

        public static void main(String[] arguments) throws InterruptedException {
            new WithoutText(POOL.acquire()).start();
        }

        @Override
        public void run() {
            held.release();
            Pooled<StringBuilder> mine = Objects.requireNonNull(POOL.tryAcquire());
            mine.release();
            System.out.println("used");
        }

        @Override
        public String toString() {
            throw new UnsupportedOperationException("for the test");
        }
    }

    /** Lets the garbage collector have handles that were released, one of them in its release, and one that was not. */
    static final class Loss {
        /** So often that the JIT compiler compiles a release. Compiled code forgets a handle once it has the entry. */
        private static final int RELEASES = 50_000;

        private static final int COLLECTIONS = 20;

        /** Enough for the thread that logs to find a handle that the collector has found. */
        private static final long UNTIL_LOGGED_MILLIS = 300;

        private static volatile WeakReference<Object> released = new WeakReference<>(null);
        private static volatile boolean collecting;

        private Loss() {}

        private static void use(PerCpuPool<Object> pool) {
            Pooled<Object> handle = pool.tryAcquire();
            released = new WeakReference<>(handle);
            handle.release();
        }

        /** The reset hook. In interpreted code the handle stays reachable, however often the collector runs. */
        private static void collect() {
            if (collecting) {
                for (int i = 0; !released.refersTo(null) && i < COLLECTIONS; i++) {
                    System.gc();
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(UNTIL_LOGGED_MILLIS));
            }
        }

        public static void main(String[] arguments) throws InterruptedException {
            CountDownLatch logged = new CountDownLatch(1);
            Logger logger = Logger.getLogger("dev.percpu");
            logger.addHandler(new Handler() {
                @Override
                public void publish(LogRecord message) {
                    System.out.println(message.getMessage() + ", " + message.getThrown());
                    for (StackTraceElement frame : message.getThrown().getStackTrace()) {
                        System.out.println(frame);
                    }
                    if (message.getMessage().contains("capacity 1")) {
                        logged.countDown();
                    }
                }

                @Override
                public void flush() {}

                @Override
                public void close() {}
            });
            logger.setUseParentHandlers(false);
            PerCpuPool<Object> used =
                    PerCpuPool.builder(2, Object::new).reset(_ -> collect()).build();
            for (int i = 0; i < RELEASES; i++) {
                use(used);
            }
            collecting = true;
            use(used);
            PerCpuPool<Object> pool = PerCpuPool.builder(1, Object::new).build();
            pool.acquire().release();
            // It keeps a handle, so that the one that it was acquired by may be dropped.
            PerCpuPool<Keeper> keepers =
                    PerCpuPool.builderWithHandle(1, Keeper::new).build();
            Keeper keeper = keepers.acquire().get();
            lose(pool);
            Garbage.collectUntil(() -> logged.getCount() == 0);
            keeper.handle.release();
            System.out.println("over, held " + pool.statistics().held());
        }

        private static void lose(PerCpuPool<Object> pool) throws InterruptedException {
            System.out.println("lost: " + pool.acquire().get());
        }
    }
}
