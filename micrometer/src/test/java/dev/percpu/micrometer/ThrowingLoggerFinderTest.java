package dev.percpu.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.Jvm;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MockClock;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What finds the logger is the user's code, and the JVM has one of it. */
@Tag("once")
class ThrowingLoggerFinderTest {
    /** Has no logger for anybody. */
    public static final class Throwing extends System.LoggerFinder {
        @Override
        public System.Logger getLogger(String name, Module module) {
            throw new IllegalStateException("no logger for " + name);
        }
    }

    /** Makes a registry whose thread for maxima has something to say. */
    static final class Advanced {
        private Advanced() {}

        public static void main(String[] arguments) throws InterruptedException {
            CountDownLatch looks = new CountDownLatch(2);
            Clock clock = new MockClock();
            Clock failing = new Clock() {
                @Override
                public long wallTime() {
                    if (Thread.currentThread().getName().equals("percpu-micrometer-maxima")) {
                        looks.countDown();
                        throw new IllegalStateException("for the test");
                    }
                    return clock.wallTime();
                }

                @Override
                public long monotonicTime() {
                    return clock.monotonicTime();
                }
            };
            MeterRegistry registry = new PerCpuMeterRegistry(new SimpleMeterRegistry(SimpleConfig.DEFAULT, failing));
            Timer timer = registry.timer("timer");
            timer.record(1, TimeUnit.SECONDS);
            looks.await();
            System.out.println("went on, count " + timer.count());
        }
    }

    @Test
    void aRegistryWorksThoughNoLoggerIsFound(@TempDir Path directory) throws IOException {
        Path services = Files.createDirectories(directory.resolve("META-INF").resolve("services"));
        Files.writeString(services.resolve(System.LoggerFinder.class.getName()), Throwing.class.getName());
        assertThat(Jvm.asHere().with(directory.toString()).withPathsOfHere().outputOf(Advanced.class))
                .contains("went on, count 1");
    }
}
