package dev.percpu.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.PerCpuRuntime;
import dev.percpu.concurrent.PerCpuCounter;
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
        assertThat(refused).as(result.output()).anyMatch(line -> line.contains(".Sums$WithoutOwnPlace::add "));
        if (PerCpuRuntime.backend().equals("rseq")) {
            assertThat(refused)
                    .as(result.output())
                    .anyMatch(line -> line.contains(".GatedSums$WithoutOwnPlace::add "))
                    .anyMatch(line -> line.contains(".ReadersInside$WithoutOwnPlace::tryEnter "))
                    .anyMatch(line -> line.contains(".ReadersInside$WithoutOwnPlace::leave "))
                    .anyMatch(line -> line.contains(".KeptIds$WithoutOwnPlace::missed "));
        }
    }

    static final class Loops {
        private Loops() {}

        public static void main(String[] arguments) throws InterruptedException {
            HotThread.runWithoutAPlaceLeft(() -> update(Integer.parseInt(arguments[0])));
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
    }
}
