package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.PerCpuRuntime;
import dev.percpu.internal.area.HotThread;
import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.internal.backend.Interposition;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.code.Op;
import dev.percpu.internal.protocol.Numbers;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Jvm;
import java.lang.ref.WeakReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A counter stays until its last update is done, even if nobody has the counter any more: its memory could be another
 * one's by then. A JVM of its own collects garbage just before the update, when compiled code uses the counter for the
 * last time.
 */
@Tag("native")
class CounterReachabilityTest {
    /** Where no thread can have a place of its own, and where another thread has the only one. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void aCounterStaysUntilItsUpdateIsDone(int places) {
        Jvm.Result result = new Jvm()
                .option("-Dpercpu.backend=" + PerCpuRuntime.backend())
                .option("-D" + OwnPlaces.PROPERTY + "=" + places)
                .option("-Xbatch")
                .run(Probe.class);
        assertThat(result.output().strip()).isEqualTo("during the update: true, after it: false");
    }

    /** Runs in a JVM of its own. */
    static final class Probe {
        /** So that the JIT compiler has compiled everything between {@code useOnce} and the look. */
        private static final int ROUNDS = 20_000;

        private static WeakReference<Object> counter = new WeakReference<>(null);
        private static boolean looking;
        private static boolean during;
        private static @Nullable PerCpuCounter next;

        private Probe() {}

        public static void main(String[] arguments) throws InterruptedException {
            HotThread.runWithoutAPlaceLeft(Probe::probe);
        }

        private static void probe() {
            Interposition.install(new Interposition.Interposer() {
                @Override
                public <P> P around(Class<P> protocol, P normal, Function<Sequences, ? extends P> rseq) {
                    return normal instanceof Numbers numbers ? protocol.cast(new Looking(numbers)) : normal;
                }
            });
            PerCpuCounter other = new PerCpuCounter();
            for (int round = 0; round < ROUNDS; round++) {
                next = other;
                useOnce();
            }
            next = new PerCpuCounter();
            counter = new WeakReference<>(next);
            looking = true;
            useOnce();
            System.out.println("during the update: " + during + ", after it: " + look());
        }

        /** From the update on, nobody else has a reference to the counter. */
        private static void useOnce() {
            PerCpuCounter last = next;
            next = null;
            if (last != null) {
                last.add(1);
            }
        }

        private static boolean look() {
            for (int i = 0; i < 3; i++) {
                System.gc();
            }
            return counter.get() != null;
        }

        private record Looking(Numbers numbers) implements Numbers {
            @Override
            public void add(long position, long delta) {
                if (looking) {
                    during = look();
                }
            }

            @Override
            public long update(Op op, NumericWidth width, long position, long operand, long expected) {
                return numbers.update(op, width, position, operand, expected);
            }

            @Override
            public boolean updateUnlessGuarded(Op op, NumericWidth width, long position, long operand) {
                return numbers.updateUnlessGuarded(op, width, position, operand);
            }

            @Override
            public long read(long position) {
                return numbers.read(position);
            }
        }
    }
}
