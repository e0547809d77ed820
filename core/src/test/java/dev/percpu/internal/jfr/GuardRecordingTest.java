package dev.percpu.internal.jfr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.percpu.CpuGuard;
import dev.percpu.Holder;
import dev.percpu.cpu.CpuId;
import dev.percpu.testing.Deployment;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.LogCapture;
import dev.percpu.testing.Workers;
import java.io.IOException;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which events of guards are recorded, and what they show. */
class GuardRecordingTest {
    private static final CpuId CPU = CpuId.of(0);

    static void acquireAndClose() {
        // Without AssertJ, which a JVM of its own does not have.
        try (CpuGuard guard = CpuGuard.acquire(CPU)) {
            if (!guard.cpu().equals(CPU)) {
                throw new AssertionError(guard);
            }
        }
    }

    /** Has a thread wait for a guard of this one until the report that it is held long comes. */
    private static RecordedEvent recordedWhileWaiting() throws Exception {
        String name = "dev.percpu.GuardHeldLong";
        CompletableFuture<RecordedEvent> recorded = new CompletableFuture<>();
        try (RecordingStream stream = new RecordingStream()) {
            stream.enable(name);
            stream.setReuse(false);
            stream.onEvent(name, recorded::complete);
            stream.startAsync();
            Thread waiter = Thread.ofPlatform().name("waiter").unstarted(GuardRecordingTest::acquireAndClose);
            try (CpuGuard _ = CpuGuard.acquire(CPU)) {
                waiter.start();
                RecordedEvent _ = recorded.get();
            }
            waiter.join();
        }
        RecordedEvent event = recorded.get();
        checkOwner(event, Thread.currentThread());
        return event;
    }

    private static void checkOwner(RecordedEvent event, Thread owner) {
        assertThat(event.getInt("cpu")).isEqualTo(CPU.id());
        assertThat(event.getThread("owner").getJavaThreadId()).isEqualTo(owner.threadId());
        assertThat(event.getString("description")).contains("#" + owner.threadId());
    }

    /** A threshold of the user's takes the place of that of the event. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aWaitForAGuardIsRecordedWhenItEnds(boolean isVirtual) throws Exception {
        Holder holder = Holder.of(CPU);
        Thread waiter = (isVirtual ? Thread.ofVirtual() : Thread.ofPlatform())
                .name("waiter")
                .unstarted(GuardRecordingTest::acquireAndClose);
        Map<String, String> threshold = Map.of("threshold", "10 ms");
        List<RecordedEvent> events = Recordings.record("dev.percpu.GuardContended", threshold, () -> {
            waiter.start();
            Workers.awaitTimedWait(waiter);
            Thread.sleep(10);
            holder.release();
            waiter.join();
        });
        assertThat(events).singleElement().satisfies(event -> {
            assertThat(event.getThread().getJavaName()).isEqualTo("waiter");
            assertThat(event.getDuration()).isGreaterThanOrEqualTo(Duration.ofMillis(10));
            assertThat(event.getBoolean("acquired")).isTrue();
            checkOwner(event, holder.thread());
        });
    }

    private static void acquireInVain() throws InterruptedException {
        try (CpuGuard guard = CpuGuard.tryAcquire(CPU, 50, TimeUnit.MILLISECONDS)) {
            assertThat(guard).isNull();
        }
    }

    private static void acquireUnlessInterrupted() throws InterruptedException {
        try (CpuGuard guard = CpuGuard.acquireInterruptibly(CPU)) {
            assertThat(guard.cpu()).isEqualTo(CPU);
        }
    }

    @Test
    void aWaitForAGuardThatIsInVainIsRecordedToo() throws Exception {
        Holder holder = Holder.of(CPU);
        List<RecordedEvent> events = Recordings.record("dev.percpu.GuardContended", () -> {
            acquireInVain();
            FutureTask<Throwable> failure =
                    new FutureTask<>(() -> catchThrowable(GuardRecordingTest::acquireUnlessInterrupted));
            Thread waiter = Thread.ofPlatform().start(failure);
            Workers.awaitTimedWait(waiter);
            waiter.interrupt();
            assertThat(failure.get()).isInstanceOf(InterruptedException.class);
            holder.release();
        });
        assertThat(events).hasSize(2).allSatisfy(event -> {
            assertThat(event.getBoolean("acquired")).isFalse();
            checkOwner(event, holder.thread());
        });
    }

    @Test
    void aWaitBelowTheThresholdIsNotRecorded() throws Exception {
        Holder holder = Holder.of(CPU);
        Map<String, String> threshold = Map.of("threshold", "1 h");
        assertThat(Recordings.record("dev.percpu.GuardContended", threshold, () -> {
                    acquireInVain();
                    holder.release();
                }))
                .isEmpty();
    }

    /** A report of an owner is not repeated for a minute, so the owner is a thread of which there was none. */
    @Test
    void anOwnerThatKeepsOthersWaitingIsRecorded() throws Exception {
        FutureTask<RecordedEvent> owner = new FutureTask<>(() -> recordedWhileWaiting());
        RecordedEvent event;
        try (LogCapture log = new LogCapture()) {
            Thread.ofPlatform().start(owner);
            event = owner.get();
            // The log gets the report after the recording does: not only when another test captures it.
            log.awaitMessage("held for over");
        }
        assertThat(event.getDuration("held")).isGreaterThanOrEqualTo(Duration.ofSeconds(2));
        assertThat(event.getInt("waiting")).isEqualTo(1);
    }

    @Test
    void aGuardThatIsTakenOverIsRecorded() throws Exception {
        Holder holder = Holder.of(CPU);
        List<RecordedEvent> events = Recordings.record("dev.percpu.GuardTakenOver", () -> {
            try (LogCapture log = new LogCapture()) {
                holder.die();
                acquireAndClose();
                log.awaitMessage("taken over");
            }
        });
        assertThat(events).singleElement().satisfies(event -> {
            assertThat(event.getInt("cpu")).isEqualTo(CPU.id());
            assertThat(event.getThread("deadOwner").getJavaThreadId())
                    .isEqualTo(holder.thread().threadId());
            assertThat(event.getString("description"))
                    .isEqualTo("thread #" + holder.thread().threadId() + " \"holder\"");
            // It would be that of the thread which makes reports.
            assertThat(event.getStackTrace()).isNull();
        });
    }

    /** Records a first wait, by a copy of the library whose class loader says what it is asked for. */
    static final class FirstWait {
        private FirstWait() {}

        public static void main(String[] arguments) throws Exception {
            try (Recording recording = new Recording();
                    URLClassLoader loader = new Talking()) {
                recording.enable("dev.percpu.GuardContended");
                recording.start();
                ((Runnable) Deployment.make(loader, Waits.class)).run();
            }
        }
    }

    private static final class Talking extends URLClassLoader {
        private Talking() throws IOException {
            super(Deployment.classPath(), ClassLoader.getPlatformClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (name.startsWith("jdk.jfr.")) {
                System.out.println(name);
            }
            return super.loadClass(name, resolve);
        }
    }

    /** Loaded by that loader. */
    static final class Waits implements Runnable {
        Waits() {}

        @Override
        public void run() {
            try {
                Holder holder = Holder.of(CPU);
                Thread waiter = Thread.ofPlatform().start(GuardRecordingTest::acquireAndClose);
                Workers.awaitTimedWait(waiter);
                System.out.println("the wait has begun");
                holder.release();
                waiter.join();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    /** A class loader can be the user's code, and must not run while the thread has a guard that is not counted yet. */
    @Test
    void noClassIsLoadedOnceAWaitHasEnded() {
        assertThat(Jvm.asHere().outputOf(FirstWait.class).lines())
                .contains("jdk.jfr.internal.event.EventWriter")
                .endsWith("the wait has begun");
    }
}
