package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.PerCpuRuntime;
import dev.percpu.internal.backend.Interposition;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.guard.UnaskedLooks;
import dev.percpu.internal.protocol.Fences;
import dev.percpu.internal.protocol.StackRoom;
import dev.percpu.testing.Jvm;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What other threads do between two steps of a pool. A JVM of its own puts it there. */
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

    private static String output(Class<?> probe) {
        Jvm.Result result =
                new Jvm().option("-Dpercpu.backend=" + PerCpuRuntime.backend()).run(probe);
        return result.output().strip();
    }

    /** Runs in a JVM of its own. */
    static final class Search {
        private Search() {}

        public static void main(String[] arguments) {
            Steps.install();
            PooledIds ids = new PooledIds(1, "a pool", UnaskedLooks.nanos());
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
            Pooled<Object> place = pool.tryAcquire();
            Steps.lightFence = () -> {
                Steps.lightFence = Steps::nothing;
                System.out.print(pool.ids.seek() == place.id ? "taken by another, " : "not taken, ");
                Steps.room = () -> {
                    throw new StackOverflowError("no room");
                };
            };
            place.release();
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
            Pooled<Object> place = pool.tryAcquire();
            Steps.room = () -> {
                Steps.room = Steps::nothing;
                int _ = pool.trim(0);
                System.out.print("trimmed, ");
            };
            place.discard();
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
            Pooled<Object> place = pool.tryAcquire();
            Thread waiting = Thread.ofPlatform().start(() -> {
                Pooled<Object> _ = PerCpuPoolConcurrencyTest.uninterrupted(pool::acquire);
                System.out.println("objects made: " + pool.statistics().made());
            });
            while (waiting.getState() != Thread.State.TIMED_WAITING) {
                Thread.sleep(1);
            }
            Steps.room = () -> {
                if (Thread.currentThread() != waiting) {
                    throw new StackOverflowError("no room");
                }
            };
            try {
                place.discard();
            } catch (StackOverflowError _) {
                System.out.print("broken off, ");
            }
            waiting.join();
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
