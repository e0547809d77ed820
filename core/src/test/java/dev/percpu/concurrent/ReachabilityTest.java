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
import dev.percpu.testing.Effort;
import dev.percpu.testing.Jvm;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
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

    /** C2 moves what does not change to the front of a loop: where the variable lies, too. */
    @ParameterizedTest
    @ValueSource(strings = {"counter", "histogram", "event"})
    void aVariableOfALoopStaysUntilTheLoopHasNoticedThatThereIsAnother(String kind) {
        // Tests' JVMs have the serial collector, with which such a loop would have no safepoints.
        Jvm.Result result = new Jvm()
                .option("-Dpercpu.backend=" + PerCpuRuntime.backend())
                .option("-XX:+UseCountedLoopSafepoints")
                .option("-XX:LoopStripMiningIter=1000")
                .run(Replacing.class, kind, String.valueOf(Effort.scaled(Replacing.UPDATES)));
        assertThat(result.output())
                .contains("in a place of its own: true", "additions to a variable that nobody updates: 0");
    }

    /** Runs in a JVM of its own. A thread updates the variable of a field, which another thread replaces. */
    static final class Replacing {
        /** So many that another variable gets the memory before a loop is over. */
        private static final int UPDATES = 1 << 29;

        private static final int WARM_UP_LOOPS = 3;
        private static final int REUSES = 5;

        private static PerCpuCounter counter = new PerCpuCounter();
        private static PerCpuHistogram histogram = histogram();
        private static PerCpuCounter counterOfEvent = new PerCpuCounter();
        private static PerCpuEvent event = event(counterOfEvent);

        private static volatile boolean over;
        private static volatile boolean inOwnPlace;

        private Replacing() {}

        public static void main(String[] arguments) throws InterruptedException {
            String kind = arguments[0];
            int updates = Integer.parseInt(arguments[1]);
            CountDownLatch warm = new CountDownLatch(WARM_UP_LOOPS);
            Thread updater = Thread.ofPlatform().start(() -> {
                while (!over) {
                    loop(kind, updates);
                    warm.countDown();
                }
                inOwnPlace = OwnPlaces.hasMine();
            });
            warm.await();
            long foreign = 0;
            for (int reuse = 0; reuse < REUSES; reuse++) {
                PerCpuCounter other = reuse(replace(kind));
                // Long enough for an addition, if the loop still adds there.
                Thread.sleep(20);
                foreign += other.sum();
            }
            over = true;
            updater.join();
            System.out.println("in a place of its own: " + inOwnPlace);
            System.out.println("additions to a variable that nobody updates: " + foreign);
        }

        private static void loop(String kind, int updates) {
            switch (kind) {
                case "counter" -> {
                    for (int i = 0; i < updates; i++) {
                        counter.increment();
                    }
                }
                case "histogram" -> {
                    for (int i = 0; i < updates / 16; i++) {
                        histogram.record(1);
                    }
                }
                default -> {
                    for (int i = 0; i < updates / 16; i++) {
                        event.record();
                    }
                }
            }
        }

        /** Replaces the variable, and returns where a number of the old one lies. */
        private static long replace(String kind) {
            long position;
            switch (kind) {
                case "counter" -> {
                    position = counter.position();
                    counter = new PerCpuCounter();
                }
                case "histogram" -> {
                    position = histogram.sumPosition();
                    histogram = histogram();
                }
                default -> {
                    position = counterOfEvent.position();
                    counterOfEvent = new PerCpuCounter();
                    event = event(counterOfEvent);
                }
            }
            return position;
        }

        /** A new counter at that position, once the old variable has given its memory back. */
        private static PerCpuCounter reuse(long position) throws InterruptedException {
            List<PerCpuCounter> elsewhere = new ArrayList<>();
            try {
                while (true) {
                    System.gc();
                    Thread.sleep(1);
                    PerCpuCounter next = new PerCpuCounter();
                    if (next.position() == position) {
                        return next;
                    }
                    elsewhere.add(next);
                }
            } finally {
                Reference.reachabilityFence(elsewhere);
            }
        }

        private static PerCpuHistogram histogram() {
            return PerCpuHistogram.builder().bounds(1).build();
        }

        private static PerCpuEvent event(PerCpuCounter counter) {
            return PerCpuEvent.builder().increment(counter).build();
        }
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
