package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.HotThread;
import dev.percpu.testing.Jvm;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * A stack that overflows anywhere while an object is released: it is held then, or idle, or destroyed, and no entry is
 * lost. In a JVM of its own, interpreted, since there each call takes some of the stack.
 */
class PerCpuPoolOverflowTest {
    @Test
    void aReleaseThatTheStackBreaksOffLosesNothing() {
        assertThat(Jvm.asHere().option("-Xint").outputOf(Probe.class)).contains("exact");
    }

    @Test
    void norWhereTheCodeIsCompiledOnTheWay() {
        assertThat(Jvm.asHere().outputOf(Probe.class)).contains("exact");
    }

    /** Releases an object at each depth of the stack from where it overflows on, until there is enough. */
    static final class Probe {
        private static final int CAPACITY = 4;
        private static final long STACK_BYTES = 1 << 18;
        private static final int DEPTHS = 120;

        private static int deepest;
        private static int brokenOff;

        private Probe() {}

        public static void main(String[] arguments) throws InterruptedException {
            Thread thread = new Thread(null, Probe::sweep, "shallow", STACK_BYTES);
            thread.start();
            thread.join();
        }

        private static void sweep() {
            long _ = HotThread.tryGetPlace();
            for (boolean exhausted : new boolean[] {false, true}) {
                for (boolean hooks : new boolean[] {false, true}) {
                    for (int shift = 0; shift < 4; shift++) {
                        sweep(exhausted, hooks, false, shift);
                        sweep(exhausted, hooks, true, shift);
                    }
                }
            }
            System.out.println(brokenOff > 100 ? "exact" : "only " + brokenOff + " releases were broken off");
        }

        private static void sweep(boolean exhausted, boolean hooks, boolean kept, int shift) {
            AtomicInteger destroyed = new AtomicInteger();
            PoolBuilder<Object> builder = PerCpuPool.builder(CAPACITY, Object::new);
            if (hooks) {
                builder.reset(Objects::requireNonNull).destroy(item -> destroyed.incrementAndGet());
            }
            PerCpuPool<Object> pool = (kept ? builder.keepOnePerHotThread() : builder).build();
            List<Pooled<Object>> others = new ArrayList<>();
            if (exhausted) {
                for (Pooled<Object> pooled; (pooled = pool.tryAcquire()) != null; ) {
                    others.add(pooled);
                }
                others.removeLast().release();
            }
            deepest = 0;
            down(1, Integer.MAX_VALUE, shift, () -> {});
            int bottom = deepest;
            for (int depth = bottom - DEPTHS; depth <= bottom; depth++) {
                Pooled<Object> pooled = pool.tryAcquire();
                if (pooled == null) {
                    throw new AssertionError(
                            "an object is lost at depth " + (bottom - depth) + ": " + pool.statistics());
                }
                if (down(1, depth, shift, pooled::release)) {
                    brokenOff++;
                    if (depth % 2 == 0) {
                        releaseAgain(pooled);
                    } else {
                        discardAndClose(pooled);
                    }
                }
            }
            others.forEach(Pooled::release);
            for (int i = 0; i < CAPACITY; i++) {
                if (pool.tryAcquire() == null) {
                    throw new AssertionError("an entry is lost: " + pool.statistics());
                }
            }
            if (pool.tryAcquire() != null) {
                throw new AssertionError("an object too many");
            }
            PerCpuPool.Statistics statistics = pool.statistics();
            if (statistics.objects() != CAPACITY || (hooks && statistics.destroyed() != destroyed.get())) {
                throw new AssertionError(statistics + ", destroyed " + destroyed);
            }
        }

        private static void releaseAgain(Pooled<Object> pooled) {
            try {
                pooled.release();
            } catch (IllegalStateException doneAlready) {
                if (!String.valueOf(doneAlready.getMessage()).contains("not held")) {
                    throw doneAlready;
                }
            }
        }

        /** As a {@code try} does whose body handles the error by a discard. */
        private static void discardAndClose(Pooled<Object> pooled) {
            try {
                pooled.discard();
            } catch (IllegalStateException doneAlready) {
                return;
            }
            pooled.close();
        }

        /** Runs a task at some depth; true if the stack overflowed. */
        private static boolean down(int depth, int goal, int shift, Runnable task) {
            deepest = Math.max(deepest, depth);
            try {
                if (depth < goal) {
                    return down(depth + 1, goal, shift, task);
                }
                shifted(shift, task);
                return false;
            } catch (StackOverflowError e) {
                return true;
            }
        }

        /** So that frames do not always end at the same places. */
        private static void shifted(int shift, Runnable task) {
            switch (shift) {
                case 0 -> task.run();
                case 1 -> more(0, task);
                case 2 -> more(0, 0, 0, task);
                default -> more(0, 0, 0, 0, 0, task);
            }
        }

        @SuppressWarnings("UnusedVariable") // they take room
        private static void more(long a, Runnable task) {
            task.run();
        }

        @SuppressWarnings("UnusedVariable")
        private static void more(long a, long b, long c, Runnable task) {
            task.run();
        }

        @SuppressWarnings("UnusedVariable")
        private static void more(long a, long b, long c, long d, long e, Runnable task) {
            task.run();
        }
    }
}
