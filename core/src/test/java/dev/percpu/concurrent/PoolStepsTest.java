package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.HotThread;
import dev.percpu.internal.backend.Interposed;
import dev.percpu.internal.backend.Interposition;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.protocol.Fences;
import dev.percpu.internal.protocol.StackRoom;
import dev.percpu.internal.protocol.Stacks;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What other threads do between two steps of a pool. A JVM of its own puts it there.
 *
 * <p>This file is longer than others: what comes between two steps is a program of its own each time.
 */
@Tag("native")
class PoolStepsTest {
    /** A push may be on its way to memory until the heavy fence, although who pushed has seen no search. */
    @Test
    void aSearchFindsWhatTheHeavyFenceMakesVisible() {
        assertThat(output(Search.class)).isEqualTo("pushed 0, found 0");
    }

    /** If it failed, its caller would repeat it, and so release the object of whoever has it by then. */
    @Test
    void aReleaseThatHasPushedDoesNotFail() {
        assertThat(output(Release.class)).isEqualTo("taken by another, released");
    }

    @Test
    void whoDestroysAnObjectIsNotOvertaken() {
        assertThat(output(Discard.class)).isEqualTo("trimmed, destroyed, discarded");
    }

    /** The thread that discards may never call again, and it could not wake anybody. */
    @Test
    void whoWaitsDestroysWhatABrokenOffDiscardLeft() {
        assertThat(output(Left.class)).isEqualTo("broken off, destroyed, objects made: 2");
    }

    /** It has found the id before the search, and stored that it keeps nothing. */
    @Test
    void whatAHotThreadIsTakingIsNotFound() {
        assertThat(output(Taking.class)).isEqualTo("others find 63, taken");
    }

    /** The stack has no room for the lock, under which the thread would learn whose the id is. */
    @Test
    void whatAHotThreadCouldNotTakeIsIdle() {
        assertThat(output(BrokenOff.class)).isEqualTo("others find 63, broken off, then one more");
    }

    /** It takes it between the two looks of the closing. */
    @Test
    void whatAHotThreadTakesWhileThePoolIsClosedIsDestroyed() {
        assertThat(output(TakingFromClosed.class)).isEqualTo("closed, 0 destroyed, refused, 1 destroyed");
    }

    /** No handle was made for it, so nobody could release it. */
    @Test
    void anObjectThatIsNotLentIsDestroyed() {
        assertThat(output(Unlent.class)).isEqualTo("refused, destroyed, an object, objects made: 2");
    }

    /** A release can fail after it has given the object back. Then another thread may have it at any moment. */
    @Test
    void aHandleWhoseReleaseFailedAtItsEndIsOfNoUse() {
        assertThat(output(Ended.class)).isEqualTo("broken off, released already, acquired");
    }

    /** It was closed while the handle was made, so nobody would look for the object any more. */
    @Test
    void anObjectOfAClosedPoolThatIsNotLentIsDestroyed() {
        assertThat(output(UnlentClosed.class)).isEqualTo("closed, destroyed, refused");
    }

    /** Its object is still to be destroyed then. */
    @Test
    void aHandleWhoseReleaseCouldNotDestroyItsObjectCanBeReleasedAgain() {
        assertThat(output(Undestroyed.class)).isEqualTo("broken off, destroyed, released");
    }

    /** One release gathers what two have pushed, and the other then finds nothing to gather. */
    @Test
    void whatIsPushedWhileAStackIsEmptiedWakesWhoWaits() {
        assertThat(output(PushedMeanwhile.class)).isEqualTo("waiting and not told: 0");
    }

    /** Two threads wait when one id is pushed, and another after the search has looked how many there are. */
    static final class PushedMeanwhile {
        private PushedMeanwhile() {}

        public static void main(String[] arguments) throws InterruptedException {
            AtomicInteger late = new AtomicInteger(SharedIds.NONE);
            Interposed.replace(Stacks.class, normal -> new Stacks() {
                @Override
                public boolean push(long position, long item, long capacity) {
                    return normal.push(position, item, capacity);
                }

                @Override
                public long pop(long position) {
                    return normal.pop(position);
                }

                @Override
                public long popFrom(int cpu, long position) {
                    int id = late.getAndSet(SharedIds.NONE);
                    if (id != SharedIds.NONE) {
                        long stack = Area.offset(cpu, position);
                        long count = (long) Area.LONG.getVolatile(Area.MEMORY, stack) + 1;
                        Area.LONG.setVolatile(Area.MEMORY, stack + count * Long.BYTES, (long) id);
                        Area.LONG.setVolatile(Area.MEMORY, stack, count);
                    }
                    return normal.popFrom(cpu, position);
                }
            });
            int capacity = 4 * CpuMask.usable().weight();
            PooledIds ids = PerCpuPoolWaitingTest.told(() -> new PooledIds(capacity, "a pool"));
            for (int taken = 0; taken < capacity; taken++) {
                int _ = ids.seek();
            }
            List<Thread> waiters = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                waiters.add(Thread.ofPlatform().daemon().start(() -> {
                    try {
                        int _ = ids.seek(Long.MAX_VALUE);
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                }));
            }
            while (ids.snapshot().waiting() < waiters.size()) {
                Thread.sleep(1);
            }
            // Who is told cannot go on until this thread gives up the lock.
            ids.lock();
            try {
                while (!ids.push(0)) {
                    Thread.onSpinWait();
                }
                late.set(1);
                int _ = ids.lookAgain();
                System.out.println("waiting and not told: " + ids.waitingUnsignalled());
            } finally {
                ids.unlock();
            }
        }
    }

    private static String output(Class<?> probe) {
        Jvm.Result result = Jvm.asHere()
                .option("-Dpercpu.checked=" + Checked.class.isAssignableFrom(probe))
                .run(probe);
        return result.output().strip();
    }

    /** A probe of checked mode. There a handle remembers which thread made it, by its description. */
    interface Checked {}

    /** A pool with an idle object; it tells when it destroys one. */
    private static PerCpuPool<Object> poolOfOne() throws InterruptedException {
        PerCpuPool<Object> pool = PerCpuPool.builder(1, Object::new)
                .destroy(_ -> System.out.print("destroyed, "))
                .build();
        pool.acquire().release();
        return pool;
    }

    /** A thread takes an object, but has no stack for its handle. */
    private static void acquireInVain(PerCpuPool<Object> pool, Runnable before) throws InterruptedException {
        runDescribed(
                () -> {
                    try {
                        Object _ = pool.tryAcquire();
                    } catch (StackOverflowError _) {
                        System.out.print("refused");
                    }
                },
                () -> {
                    before.run();
                    throw new StackOverflowError("no description");
                });
    }

    /** Runs in a JVM of its own. */
    static final class Unlent implements Checked {
        private Unlent() {}

        public static void main(String[] arguments) throws InterruptedException {
            PerCpuPool<Object> pool = poolOfOne();
            acquireInVain(pool, () -> {});
            System.out.print(", ");
            System.out.print(pool.tryAcquire() == null ? "none, " : "an object, ");
            System.out.println("objects made: " + pool.statistics().made());
        }
    }

    /** Runs in a JVM of its own. */
    static final class UnlentClosed implements Checked {
        private UnlentClosed() {}

        public static void main(String[] arguments) throws InterruptedException {
            PerCpuPool<Object> pool = poolOfOne();
            acquireInVain(pool, () -> {
                pool.close();
                System.out.print("closed, ");
            });
        }
    }

    /** Runs in a JVM of its own. */
    static final class Ended implements Checked {
        private Ended() {}

        public static void main(String[] arguments) throws InterruptedException {
            Steps.install();
            PerCpuPool<Object> pool = PerCpuPool.builder(1, Object::new).build();
            Pooled<Object> first = pool.tryAcquire();
            runDescribed(
                    () -> {
                        try {
                            first.release();
                        } catch (StackOverflowError _) {
                            System.out.print("broken off, ");
                        }
                    },
                    () -> {
                        throw new StackOverflowError("no description");
                    });
            // The object has a new holder, whose handle is being made.
            runDescribed(() -> System.out.println(pool.tryAcquire() == null ? "none" : "acquired"), () -> {
                try {
                    first.release();
                    System.out.print("released the next holder's, ");
                } catch (IllegalStateException _) {
                    System.out.print("released already, ");
                }
            });
        }
    }

    /** Runs in a JVM of its own. */
    static final class Undestroyed implements Checked {
        private Undestroyed() {}

        public static void main(String[] arguments) {
            Steps.install();
            PerCpuPool<Object> pool = PerCpuPool.builder(1, Object::new)
                    .destroy(_ -> System.out.print("destroyed, "))
                    .build();
            Pooled<Object> handle = pool.tryAcquire();
            Pooled<Object> entry = pool.entries[0];
            pool.close();
            Steps.room = () -> {
                if (entry.state == Pooled.LEAVING) {
                    throw new StackOverflowError("no room");
                }
            };
            try {
                handle.release();
            } catch (StackOverflowError _) {
                System.out.print("broken off, ");
            }
            Steps.room = Steps::nothing;
            handle.release();
            System.out.println("released");
        }
    }

    /** Runs a task in a thread that does something before an acquisition describes it. */
    private static void runDescribed(Runnable task, Runnable first) throws InterruptedException {
        Thread thread = new Thread(task);
        Acquisition.describer = new Acquisition.Describer() {
            @Override
            String describe(Thread described) {
                if (described == thread) {
                    first.run();
                }
                return super.describe(described);
            }
        };
        thread.start();
        thread.join();
    }

    /** Runs in a JVM of its own. */
    static final class Search {
        private Search() {}

        public static void main(String[] arguments) {
            Steps.install();
            PooledIds ids = new PooledIds(1, "a pool");
            int id = ids.seek() & ~PooledIds.VACANT;
            Steps.heavyFence = () -> System.out.print("pushed " + (ids.push(id) ? id : "nothing") + ", ");
            System.out.println("found " + ids.seek());
        }
    }

    /** Runs in a JVM of its own. */
    static final class Release {
        private Release() {}

        public static void main(String[] arguments) {
            Steps.install();
            PerCpuPool<Object> pool = PerCpuPool.builder(1, Object::new).build();
            Pooled<Object> entry = pool.tryAcquire();
            Steps.lightFence = () -> {
                Steps.lightFence = Steps::nothing;
                System.out.print(pool.ids.seek() == entry.id ? "taken by another, " : "not taken, ");
                Steps.room = () -> {
                    throw new StackOverflowError("no room");
                };
            };
            entry.release();
            System.out.println("released");
        }
    }

    /** Runs in a JVM of its own. */
    static final class Discard {
        private Discard() {}

        public static void main(String[] arguments) {
            Steps.install();
            PerCpuPool<Object> pool = PerCpuPool.builder(1, Object::new)
                    .destroy(_ -> System.out.print("destroyed, "))
                    .build();
            Pooled<Object> entry = pool.tryAcquire();
            Steps.room = () -> {
                Steps.room = Steps::nothing;
                int _ = pool.trim(0);
                System.out.print("trimmed, ");
            };
            entry.discard();
            System.out.println("discarded");
        }
    }

    /** Runs in a JVM of its own. */
    static final class Left {
        private Left() {}

        public static void main(String[] arguments) throws InterruptedException {
            Steps.install();
            PerCpuPool<Object> pool = PerCpuPool.builder(1, Object::new)
                    .destroy(_ -> System.out.print("destroyed, "))
                    .build();
            Pooled<Object> entry = pool.tryAcquire();
            Thread waiting = Thread.ofPlatform().start(() -> {
                Pooled<Object> _ = PerCpuPoolConcurrencyTest.uninterrupted(pool::acquire);
                System.out.println("objects made: " + pool.statistics().made());
            });
            Workers.awaitTimedWait(waiting);
            Steps.room = () -> {
                if (Thread.currentThread() != waiting) {
                    throw new StackOverflowError("no room");
                }
            };
            try {
                entry.discard();
            } catch (StackOverflowError _) {
                System.out.print("broken off, ");
            }
            waiting.join();
        }
    }

    /** A hot thread that keeps an object, and others that look for all objects while it takes that one. */
    private static final class Keeping {
        private final PerCpuPool<Object> pool =
                PerCpuPool.builder(64, Object::new).keepOnePerHotThread().build();
        private final Thread hot = Thread.currentThread();

        private Keeping() {
            if (HotThread.tryGetPlace() == HotThread.NO_PLACE) {
                throw new AssertionError("the thread got no place of its own");
            }
            pool.tryAcquire().release();
        }

        private void othersFindAllBetween() {
            Steps.lightFence = () -> {
                Steps.lightFence = Steps::nothing;
                System.out.print("others find " + othersFind() + ", ");
            };
        }

        private int othersFind() {
            List<Pooled<Object>> found = new ArrayList<>();
            Workers.join(Thread.ofPlatform().start(() -> found.addAll(PerCpuPoolTest.acquireAll(pool))));
            return found.size();
        }
    }

    /** Runs in a JVM of its own. */
    static final class Taking {
        private Taking() {}

        public static void main(String[] arguments) {
            Steps.install();
            Keeping keeping = new Keeping();
            keeping.othersFindAllBetween();
            System.out.println(keeping.pool.tryAcquire() == null ? "not taken" : "taken");
        }
    }

    /** Runs in a JVM of its own. */
    static final class TakingFromClosed {
        private TakingFromClosed() {}

        public static void main(String[] arguments) {
            Steps.install();
            Keeping keeping = new Keeping();
            Steps.lightFence = () -> {
                Steps.lightFence = Steps::nothing;
                keeping.pool.close();
                System.out.print("closed, " + keeping.pool.statistics().destroyed() + " destroyed, ");
            };
            try {
                Pooled<Object> _ = keeping.pool.tryAcquire();
            } catch (IllegalStateException closed) {
                System.out.print("refused, ");
            }
            System.out.println(keeping.pool.statistics().destroyed() + " destroyed");
        }
    }

    /** Runs in a JVM of its own. */
    static final class BrokenOff {
        private BrokenOff() {}

        public static void main(String[] arguments) {
            Steps.install();
            Keeping keeping = new Keeping();
            keeping.othersFindAllBetween();
            Steps.room = () -> {
                if (Thread.currentThread() == keeping.hot) {
                    throw new StackOverflowError("no room");
                }
            };
            try {
                Pooled<Object> _ = keeping.pool.tryAcquire();
                System.out.println("not broken off");
            } catch (StackOverflowError _) {
                System.out.print("broken off, ");
            }
            System.out.println(keeping.othersFind() == 1 ? "then one more" : "lost");
        }
    }

    /** What is done in the place of a step. */
    private static final class Steps {
        private static Runnable lightFence = Steps::nothing;
        private static Runnable heavyFence = Steps::nothing;
        private static Runnable room = Steps::nothing;

        private Steps() {}

        private static void nothing() {}

        private static void install() {
            Interposition.install(new Interposition.Interposer() {
                @Override
                public <P> P around(Class<P> protocol, P normal, Function<Sequences, ? extends P> rseq) {
                    if (normal instanceof Fences fences) {
                        return protocol.cast(new Late(fences));
                    }
                    return protocol == StackRoom.class ? protocol.cast((StackRoom) () -> room.run()) : normal;
                }
            });
        }

        /** Before the fences, so that what is pushed then becomes visible with the heavy one, and not before. */
        private record Late(Fences fences) implements Fences {
            @Override
            public void light() {
                lightFence.run();
                fences.light();
            }

            @Override
            public void heavy() {
                heavyFence.run();
                fences.heavy();
            }

            @Override
            public boolean isAsymmetric() {
                return fences.isAsymmetric();
            }
        }
    }
}
