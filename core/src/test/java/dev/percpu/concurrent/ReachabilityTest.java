package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.HotThread;
import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.internal.backend.Interposition;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.protocol.Events;
import dev.percpu.internal.protocol.GatedNumbers;
import dev.percpu.internal.protocol.NumberPairs;
import dev.percpu.internal.protocol.Numbers;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Garbage;
import dev.percpu.testing.Jvm;
import java.lang.ref.WeakReference;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
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
        Jvm.Result result = Jvm.asHere()
                .option("-D" + OwnPlaces.PROPERTY + "=" + places)
                .option("-Xbatch")
                .run(Probe.class);
        assertThat(result.output().lines())
                .hasSize(Kind.values().length)
                .allMatch(line -> line.endsWith("during the update: true, after it: false"));
    }

    /** C2 moves what does not change to the front of a loop: where the variable lies, too. */
    @ParameterizedTest
    @EnumSource
    @Tag("c2")
    void aVariableOfALoopStaysUntilTheLoopHasNoticedThatThereIsAnother(Kind kind) {
        // Tests' JVMs have the serial collector, with which such a loop would have no safepoints.
        Jvm.Result result = Jvm.asHere()
                .option("-XX:+UseCountedLoopSafepoints")
                .option("-XX:LoopStripMiningIter=1000")
                // Until the JIT compiler has come to it, a loop takes twenty times as long.
                .run(Replacing.class, kind.name(), String.valueOf(Effort.scaled(kind.updates)));
        assertThat(result.output())
                .contains("in a place of its own: true", "additions to a variable that nobody updates: 0");
    }

    /** Runs in a JVM of its own. A thread updates the variable of a field, which another thread replaces. */
    static final class Replacing {
        /** Shorter loops, until C2 has compiled them. */
        private static final int WARM_UP_LOOPS = 3;

        private static final int WARM_UP_SHARE = 16;
        private static final int REUSES = 5;

        private static Object variable = new Object();

        /** Where a number of the variable lies. */
        private static long position;

        /** They keep the memory that would be handed out before what an old variable gives back. */
        private static final List<PerCpuCounter> ELSEWHERE = new ArrayList<>();

        private static volatile boolean over;
        private static volatile boolean inOwnPlace;

        private Replacing() {}

        public static void main(String[] arguments) throws InterruptedException {
            Kind kind = Kind.valueOf(arguments[0]);
            int updates = Integer.parseInt(arguments[1]);
            CountDownLatch warm = new CountDownLatch(1);
            replace(kind);
            // The first memory may take long to come back, and a loop could be over by then.
            PerCpuCounter _ = replaceAndReuse(kind);
            Thread updater = Thread.ofPlatform().start(() -> {
                for (int i = 0; i < WARM_UP_LOOPS; i++) {
                    loop(kind, updates / WARM_UP_SHARE);
                }
                warm.countDown();
                while (!over) {
                    loop(kind, updates);
                }
                inOwnPlace = OwnPlaces.hasMine();
            });
            warm.await();
            long foreign = 0;
            for (int reuse = 0; reuse < REUSES; reuse++) {
                PerCpuCounter other = replaceAndReuse(kind);
                // Long enough for an addition, if the loop still adds there.
                Thread.sleep(20);
                foreign += other.sum();
            }
            over = true;
            updater.join();
            System.out.println("in a place of its own: " + inOwnPlace);
            System.out.println("additions to a variable that nobody updates: " + foreign);
        }

        private static void loop(Kind kind, int updates) {
            for (int i = 0; i < updates; i++) {
                kind.update(variable);
            }
        }

        private static void replace(Kind kind) {
            Made made = kind.make();
            variable = made.variable();
            position = made.position();
        }

        /** Replaces the variable, and returns a new counter that has the memory of the old one. */
        private static PerCpuCounter replaceAndReuse(Kind kind) throws InterruptedException {
            WeakReference<Object> old = new WeakReference<>(variable);
            long before = position;
            replace(kind);
            Garbage.collectUntil(() -> old.refersTo(null));
            // No more collections: each would stop the loop, and two hundred took most of this test's time.
            while (true) {
                PerCpuCounter next = new PerCpuCounter();
                if (next.position() == before) {
                    return next;
                }
                ELSEWHERE.add(next);
                Thread.sleep(1);
            }
        }
    }

    /**
     * A new variable.
     *
     * @param position where one of its numbers lies
     */
    record Made(Object variable, long position) {}

    /** What is updated. */
    enum Kind {
        COUNTER(1 << 27) {
            @Override
            Made make() {
                PerCpuCounter counter = new PerCpuCounter();
                return new Made(counter, counter.position());
            }

            @Override
            void update(Object counter) {
                ((PerCpuCounter) counter).add(1);
            }
        },
        COUNTER_ARRAY(1 << 25) {
            @Override
            Made make() {
                PerCpuCounterArray counters = new PerCpuCounterArray(2);
                return new Made(counters, counters.position(0));
            }

            @Override
            void update(Object counters) {
                ((PerCpuCounterArray) counters).add(0, 1, 1, 1);
            }
        },
        DOUBLE_COUNTER(1 << 25) {
            @Override
            Made make() {
                PerCpuDoubleCounter counter = new PerCpuDoubleCounter();
                return new Made(counter, counter.position());
            }

            @Override
            void update(Object counter) {
                ((PerCpuDoubleCounter) counter).add(1);
            }
        },
        ACCUMULATOR(1 << 25) {
            @Override
            Made make() {
                PerCpuAccumulator accumulator = new PerCpuAccumulator(Long::sum, 0);
                return new Made(accumulator, accumulator.position());
            }

            @Override
            void update(Object accumulator) {
                ((PerCpuAccumulator) accumulator).accumulate(1);
            }
        },
        SUMMARY(1 << 25) {
            @Override
            Made make() {
                PerCpuSummary summary = new PerCpuSummary();
                return new Made(summary, summary.counts.position(0));
            }

            @Override
            void update(Object summary) {
                ((PerCpuSummary) summary).accept(1);
            }
        },
        HISTOGRAM(1 << 25) {
            @Override
            Made make() {
                PerCpuHistogram histogram = PerCpuHistogram.builder().bounds(1).build();
                return new Made(histogram, histogram.sumPosition());
            }

            @Override
            void update(Object histogram) {
                ((PerCpuHistogram) histogram).record(1);
            }
        },
        BUCKETS(1 << 25) {
            @Override
            Made make() {
                PerCpuBuckets buckets = new PerCpuBuckets(1);
                return new Made(buckets, buckets.position);
            }

            @Override
            void update(Object buckets) {
                ((PerCpuBuckets) buckets).record(0, 1);
            }
        },
        EVENT(1 << 25) {
            @Override
            Made make() {
                PerCpuCounter counter = new PerCpuCounter();
                return new Made(PerCpuEvent.builder().increment(counter).build(), counter.position());
            }

            @Override
            void update(Object event) {
                ((PerCpuEvent) event).record();
            }
        };

        /** So many that another variable gets the memory of the one that is updated before a loop is over. */
        private final int updates;

        Kind(int updates) {
            this.updates = updates;
        }

        abstract Made make();

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
                            || normal instanceof GatedNumbers
                            || normal instanceof Events;
                    return adds ? looking(protocol, normal) : normal;
                }
            });
            for (Kind kind : Kind.values()) {
                probe(kind);
            }
        }

        private static void probe(Kind kind) {
            Object other = kind.make().variable();
            for (int round = 0; round < ROUNDS; round++) {
                next = other;
                useOnce(kind);
            }
            next = kind.make().variable();
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
