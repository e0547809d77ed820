package dev.percpu.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import dev.percpu.PerCpuRuntime;
import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuBuckets;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PerCpuReadWriteLock;
import dev.percpu.internal.area.HotThread;
import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.testing.Jvm;
import java.util.List;
import java.util.concurrent.locks.Lock;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a thread does until it has a place of its own stays out of the loop in which it uses its place later. */
@Tag("c2")
class NotInlinedTest {
    private static final String ROUNDS = "3000000";

    @Test
    void whatAThreadDoesBeforeItHasAPlaceIsNotInlined() {
        Jvm.Result result = Jvm.asHere()
                .option("-D" + OwnPlaces.PROPERTY + "=1")
                .option("-XX:+UnlockDiagnosticVMOptions")
                .option("-XX:+PrintInlining")
                .run(Loops.class, ROUNDS);
        List<String> refused = result.output()
                .lines()
                .filter(line -> line.contains("exception method"))
                .toList();
        assertThat(methods())
                .isNotEmpty()
                .allSatisfy(method ->
                        assertThat(refused).as(result.output()).anyMatch(line -> line.contains(method + " ")));
    }

    /** Those of all classes that have what a thread without an own place does, such as {@code Sums}. */
    private static List<String> methods() {
        // With atomic instructions, only sums of longs use places.
        boolean all = PerCpuRuntime.backend().equals("rseq");
        return new ClassFileImporter()
                .importUrl(OwnPlaces.class.getProtectionDomain().getCodeSource().getLocation()).stream()
                        .filter(type -> type.getSimpleName().equals("WithoutOwnPlace"))
                        .filter(type -> all || type.getName().startsWith(Sums.class.getName() + "$"))
                        .flatMap(type -> type.getMethods().stream())
                        .filter(method -> !method.getName().equals("initialize"))
                        .map(method -> method.getOwner().getName() + "::" + method.getName())
                        .toList();
    }

    static final class Loops {
        private Loops() {}

        public static void main(String[] arguments) throws InterruptedException {
            int rounds = Integer.parseInt(arguments[0]);
            HotThread.runWithoutAPlaceLeft(() -> {
                update(rounds);
                updateSeveralNumbers(rounds);
            });
        }

        @SuppressWarnings("LockNotBeforeTry") // an error ends the probe
        private static void update(int rounds) {
            PerCpuCounter counter = new PerCpuCounter();
            PerCpuDoubleCounter doubles = new PerCpuDoubleCounter();
            Lock lock = new PerCpuReadWriteLock().readLock();
            PerCpuPool<Object> pool =
                    PerCpuPool.builder(64, Object::new).keepOnePerHotThread().build();
            for (int i = 0; i < rounds; i++) {
                counter.increment();
                doubles.add(1);
                lock.lock();
                lock.unlock();
                pool.tryAcquire().release();
            }
            System.out.println("sums: " + counter.sum() + " and " + doubles.sum());
        }

        private static void updateSeveralNumbers(int rounds) {
            PerCpuCounterArray counters = new PerCpuCounterArray(2);
            PerCpuBuckets buckets = new PerCpuBuckets(1);
            PerCpuAccumulator sum = new PerCpuAccumulator(Long::sum, 0);
            for (int i = 0; i < rounds; i++) {
                counters.add(0, 1, 1, 1);
                buckets.record(0, 1);
                sum.accumulate(1);
            }
            System.out.println("sums: " + counters.sum(0) + ", " + buckets.sum() + " and " + sum.get());
        }
    }
}
