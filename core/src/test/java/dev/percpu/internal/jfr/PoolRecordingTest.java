package dev.percpu.internal.jfr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.testing.LogCapture;
import dev.percpu.testing.Workers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.api.Test;

/** What a recording of the flight recorder shows of pools. */
class PoolRecordingTest {
    /** By the thread that waits, and as the warning in the log. */
    @Test
    void aLongWaitForAPooledObjectIsRecordedWhileItLasts() throws Exception {
        try (PerCpuPool<Object> pool =
                        PerCpuPool.builder(2, Object::new).name("leaking").build();
                LogCapture log = new LogCapture()) {
            List<RecordedEvent> events = Recordings.record("dev.percpu.PoolAwaitedLong", () -> {
                var held = pool.acquire();
                var lost = pool.acquire();
                FutureTask<Void> waiting = new FutureTask<>(() -> {
                    pool.acquire().release();
                    return null;
                });
                Thread waiter = new Thread(waiting, "recorded waiter");
                waiter.start();
                log.awaitMessage("\"recorded waiter\" has waited over ");
                held.release();
                waiting.get();
                lost.release();
            });
            assertThat(events).singleElement().satisfies(event -> {
                assertThat(event.getThread().getJavaName()).isEqualTo("recorded waiter");
                assertThat(event.getString("pool")).contains("leaking");
                assertThat(event.getInt("capacity")).isEqualTo(2);
                assertThat(event.getLong("held")).isEqualTo(2);
                assertThat(event.getInt("waiting")).isEqualTo(1);
                assertThat(event.getDuration("waited")).isGreaterThanOrEqualTo(Duration.ofSeconds(2));
            });
        }
    }

    @Test
    void anExhaustedPoolIsRecordedOnceForEachAttempt() throws Exception {
        try (PerCpuPool<Object> pool =
                PerCpuPool.builder(1, Object::new).name("small").build()) {
            List<RecordedEvent> events = Recordings.record("dev.percpu.PoolExhausted", () -> {
                var held = pool.acquire();
                assertThat(pool.tryAcquire()).isNull();
                assertThat(pool.tryAcquire(1, TimeUnit.NANOSECONDS)).isNull();
                held.release();
                pool.acquire().release();
            });
            assertThat(events).hasSize(2).allSatisfy(event -> {
                assertThat(event.getString("pool")).contains("small");
                assertThat(event.getInt("capacity")).isEqualTo(1);
            });
        }
    }

    /** Else it would push all other events out of the recording. */
    @Test
    void aThreadThatTriesAgainAndAgainFillsNoRecording() throws Exception {
        int attempts = 1_000;
        try (PerCpuPool<Object> pool =
                PerCpuPool.builder(1, Object::new).name("busy").build()) {
            Map<String, String> settings = Map.of("throttle", "100/h");
            List<RecordedEvent> events = Recordings.record("dev.percpu.PoolExhausted", settings, () -> {
                var held = pool.acquire();
                for (int i = 0; i < attempts; i++) {
                    if (pool.tryAcquire() != null) {
                        throw new AssertionError("an object too many");
                    }
                }
                held.release();
            });
            assertThat(events).isNotEmpty().hasSizeLessThan(attempts / 2);
        }
    }

    @Test
    void aWaitForAPooledObjectIsRecordedWhenItEnds() throws Exception {
        try (PerCpuPool<Object> pool =
                PerCpuPool.builder(1, Object::new).name("awaited").build()) {
            Map<String, String> threshold = Map.of("threshold", "10 ms");
            List<RecordedEvent> events = Recordings.record("dev.percpu.PoolAwaited", threshold, () -> {
                var held = pool.acquire();
                Thread waiter = Thread.ofVirtual().name("recorded waiter").start(() -> acquireAndRelease(pool));
                Workers.awaitTimedWait(waiter);
                Thread.sleep(10);
                held.release();
                waiter.join();
            });
            assertThat(events).singleElement().satisfies(event -> {
                assertThat(event.getThread().getJavaName()).isEqualTo("recorded waiter");
                assertThat(event.getString("pool")).contains("awaited");
                assertThat(event.getInt("capacity")).isEqualTo(1);
                assertThat(event.getBoolean("acquired")).isTrue();
                assertThat(event.getDuration()).isGreaterThanOrEqualTo(Duration.ofMillis(10));
            });
        }
    }

    @Test
    void aWaitForAPooledObjectThatIsInVainIsRecordedToo() throws Exception {
        try (PerCpuPool<Object> pool =
                PerCpuPool.builder(1, Object::new).name("awaited in vain").build()) {
            List<RecordedEvent> events = Recordings.record("dev.percpu.PoolAwaited", () -> {
                var held = pool.acquire();
                assertThat(pool.tryAcquire(1, TimeUnit.MILLISECONDS)).isNull();
                assertThat(pool.tryAcquire(0, TimeUnit.MILLISECONDS)).isNull();
                FutureTask<Throwable> failure = new FutureTask<>(() -> catchThrowable(pool::acquire));
                Thread waiter = Thread.ofPlatform().start(failure);
                Workers.awaitTimedWait(waiter);
                waiter.interrupt();
                assertThat(failure.get()).isInstanceOf(InterruptedException.class);
                held.release();
                pool.acquire().release();
            });
            assertThat(events)
                    .hasSize(2)
                    .allSatisfy(
                            event -> assertThat(event.getBoolean("acquired")).isFalse());
        }
    }

    private static void acquireAndRelease(PerCpuPool<Object> pool) {
        try {
            pool.acquire().release();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
