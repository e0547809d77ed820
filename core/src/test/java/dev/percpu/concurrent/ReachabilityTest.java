package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.PerCpuRuntime;
import dev.percpu.internal.area.HotThread;
import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.internal.backend.Interposition;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.protocol.GatedNumbers;
import dev.percpu.internal.protocol.NumberPairs;
import dev.percpu.internal.protocol.Numbers;
import dev.percpu.testing.Jvm;
import java.lang.ref.WeakReference;
import java.lang.reflect.Proxy;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A variable stays until its last update is done, even if nobody has it any more: its memory could be another one's by
 * then. A JVM of its own collects garbage just before the update, at which compiled code uses the variable for the
 * last time.
 */
@Tag("native")
class ReachabilityTest {
    /** Where no thread can have a place of its own, and where another thread has the only one. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void aVariableStaysUntilItsUpdateIsDone(int places) {
        Jvm.Result result = new Jvm()
                .option("-Dpercpu.backend=" + PerCpuRuntime.backend())
                .option("-D" + OwnPlaces.PROPERTY + "=" + places)
                .option("-Xbatch")
                .run(Probe.class);
        assertThat(result.output().lines())
                .hasSize(Kind.values().length)
                .allMatch(line -> line.endsWith("during the update: true, after it: false"));
    }

    /** What is updated. */
    private enum Kind {
        COUNTER {
            @Override
            Object make() {
                return new PerCpuCounter();
            }

            @Override
            void update(Object counter) {
                ((PerCpuCounter) counter).add(1);
            }
        },
        DOUBLE_COUNTER {
            @Override
            Object make() {
                return new PerCpuDoubleCounter();
            }

            @Override
            void update(Object counter) {
                ((PerCpuDoubleCounter) counter).add(1);
            }
        },
        HISTOGRAM {
            @Override
            Object make() {
                return PerCpuHistogram.builder().bounds(1).build();
            }

            @Override
            void update(Object histogram) {
                ((PerCpuHistogram) histogram).record(1);
            }
        },
        BUCKETS {
            @Override
            Object make() {
                return new PerCpuBuckets(1);
            }

            @Override
            void update(Object buckets) {
                ((PerCpuBuckets) buckets).record(0, 1);
            }
        };

        abstract Object make();

        abstract void update(Object variable);
    }

    /** Runs in a JVM of its own. */
    static final class Probe {
        /** So that the JIT compiler has compiled everything between {@code useOnce} and the look. */
        private static final int ROUNDS = 20_000;

        private static WeakReference<Object> variable = new WeakReference<>(null);
        private static boolean looking;
        private static boolean during;
        private static @Nullable Object next;

        private Probe() {}

        public static void main(String[] arguments) throws InterruptedException {
            HotThread.runWithoutAPlaceLeft(Probe::probe);
        }

        private static void probe() {
            Interposition.install(new Interposition.Interposer() {
                @Override
                public <P> P around(Class<P> protocol, P normal, Function<Sequences, ? extends P> rseq) {
                    boolean adds = normal instanceof Numbers
                            || normal instanceof NumberPairs
                            || normal instanceof GatedNumbers;
                    return adds ? looking(protocol, normal) : normal;
                }
            });
            for (Kind kind : Kind.values()) {
                probe(kind);
            }
        }

        private static void probe(Kind kind) {
            Object other = kind.make();
            for (int round = 0; round < ROUNDS; round++) {
                next = other;
                useOnce(kind);
            }
            next = kind.make();
            variable = new WeakReference<>(next);
            during = false;
            looking = true;
            useOnce(kind);
            looking = false;
            System.out.println(kind + ": during the update: " + during + ", after it: " + look());
        }

        /** From the update on, nobody else has a reference to the variable. */
        private static void useOnce(Kind kind) {
            Object last = next;
            next = null;
            if (last != null) {
                kind.update(last);
            }
        }

        private static boolean look() {
            for (int i = 0; i < 3; i++) {
                System.gc();
            }
            return variable.get() != null;
        }

        private static <P> P looking(Class<P> protocol, P normal) {
            return protocol.cast(Proxy.newProxyInstance(
                    protocol.getClassLoader(), new Class<?>[] {protocol}, (_, method, arguments) -> {
                        if (looking) {
                            during = look();
                        }
                        return method.invoke(normal, arguments);
                    }));
        }
    }
}
