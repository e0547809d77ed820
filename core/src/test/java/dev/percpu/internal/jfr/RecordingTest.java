package dev.percpu.internal.jfr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.percpu.CpuGuard;
import dev.percpu.Holder;
import dev.percpu.PerCpuRuntime;
import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.Pooled;
import dev.percpu.cpu.CpuId;
import dev.percpu.testing.Deployment;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.LogCapture;
import dev.percpu.testing.Workers;
import java.io.IOException;
import java.lang.ref.Reference;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import jdk.jfr.consumer.RecordingStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a recording of the flight recorder shows, and that nothing is done without one. */
class RecordingTest {
    private static final CpuId CPU = CpuId.of(0);

    private static void acquireAndClose() {
        // Without AssertJ, which a JVM of its own does not have.
        try (CpuGuard guard = CpuGuard.acquire(CPU)) {
            if (!guard.cpu().equals(CPU)) {
                throw new AssertionError(guard);
            }
        }
    }

    @Test
    void namedVariablesAreRecordedWithTheirTotals() throws Exception {
        PerCpuCounter counter = new PerCpuCounter("recorded counter");
        PerCpuAccumulator broken = new PerCpuAccumulator(
                "recorded thrower",
                (_, _) -> {
                    throw new ArithmeticException();
                },
                0);
        counter.add(Long.MAX_VALUE);
        try {
            List<RecordedEvent> events = Recordings.record("dev.percpu.Variable", () -> {});
            RecordedEvent event = events.stream()
                    .filter(each -> each.getString("variable").equals("recorded counter"))
                    .findFirst()
                    .orElseThrow();
            assertThat(event.getString("type")).isEqualTo("PerCpuCounter");
            assertThat(event.getString("value")).isEqualTo("value");
            assertThat(event.getLong("integer")).isEqualTo(Long.MAX_VALUE);
            assertThat(event.getDouble("total")).isEqualTo(0x1p63);
            assertThat(events)
                    .filteredOn(each -> each.getString("variable").equals("recorded thrower"))
                    .isNotEmpty()
                    .allSatisfy(each ->
                            assertThat(each.getString("failure")).isEqualTo(ArithmeticException.class.getName()));
        } finally {
            Reference.reachabilityFence(List.of(counter, broken));
        }
    }

    /** A function in a language without checked exceptions throws them all the same. */
    @Test
    void aCheckedExceptionSpoilsItsOwnVariableOnly() throws Exception {
        PerCpuAccumulator broken = new PerCpuAccumulator(
                "recorded checked thrower",
                (_, _) -> RecordingTest.<RuntimeException>fail(new IOException("for example")),
                0);
        PerCpuCounter counter = new PerCpuCounter("recorded after a checked one");
        try {
            List<RecordedEvent> events = Recordings.record("dev.percpu.Variable", () -> {});
            assertThat(events)
                    .filteredOn(each -> each.getString("variable").equals("recorded checked thrower"))
                    .isNotEmpty()
                    .allSatisfy(each -> assertThat(each.getString("failure")).isEqualTo(IOException.class.getName()));
            assertThat(events)
                    .filteredOn(each -> each.getString("variable").equals("recorded after a checked one"))
                    .isNotEmpty();
        } finally {
            Reference.reachabilityFence(List.of(broken, counter));
        }
    }

    @SuppressWarnings("unchecked")
    private static <E extends Exception> long fail(Exception checked) throws E {
        throw (E) checked;
    }

    @Test
    void theBackEndAndTheAreaAreRecorded() throws Exception {
        PerCpuCounter named = new PerCpuCounter("recorded for its name");
        // The first use chooses the back end.
        named.increment();
        RecordedEvent backEnd =
                Recordings.record("dev.percpu.BackEnd", () -> {}).getFirst();
        assertThat(backEnd.getString("backEnd")).isEqualTo(PerCpuRuntime.backend());
        assertThat(backEnd.getString("reason")).isEqualTo(PerCpuRuntime.backendReason());
        RecordedEvent area = Recordings.record("dev.percpu.Area", () -> {}).getFirst();
        assertThat(area.getLong("stride")).isEqualTo(PerCpuRuntime.area().stride());
        assertThat(area.getLong("used")).isPositive().isLessThan(area.getLong("stride"));
        assertThat(named.sum()).isEqualTo(1);
    }

    /** Names a variable while a recording runs that began before the library did. */
    static final class Late {
        private Late() {}

        public static void main(String[] arguments) {
            new PerCpuCounter("late").increment();
            System.out.println("back end: " + PerCpuRuntime.backend());
        }
    }

    /** Its first chunk has begun before the library could register what it records then. */
    @Test
    void aRecordingFromTheJvmsStartHasTheBackEnd() throws Exception {
        Path file = Files.createTempFile("percpu", ".jfr");
        try {
            Jvm.Result result = Jvm.asHere()
                    .option("-XX:StartFlightRecording:filename=" + file)
                    .run(Late.class);
            assertThat(RecordingFile.readAllEvents(file))
                    .filteredOn(event -> event.getEventType().getName().equals("dev.percpu.BackEnd"))
                    .map(event -> "back end: " + event.getString("backEnd"))
                    .isNotEmpty()
                    .allSatisfy(backEnd -> assertThat(result.output()).contains(backEnd));
            assertThat(result.status()).isZero();
        } finally {
            Files.delete(file);
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
            Thread waiter = Thread.ofPlatform().name("waiter").unstarted(RecordingTest::acquireAndClose);
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
                .unstarted(RecordingTest::acquireAndClose);
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
        try (CpuGuard guard = CpuGuard.tryAcquire(CPU, 5, TimeUnit.MILLISECONDS)) {
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
                    new FutureTask<>(() -> catchThrowable(RecordingTest::acquireUnlessInterrupted));
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
        Thread.ofPlatform().start(owner);
        RecordedEvent event = owner.get();
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
                assertThat(log.first()).contains("taken over");
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

    /** Fills three quarters of the area while it is recorded. */
    static final class Filling {
        private static final int COUNTERS = 200_000;
        private static final PerCpuCounterArray[] KEPT = new PerCpuCounterArray[4];

        private Filling() {}

        public static void main(String[] arguments) throws Exception {
            List<RecordedEvent> events = Recordings.record("dev.percpu.AreaFilling", () -> {
                for (int i = 0; i < 4; i++) {
                    KEPT[i] = new PerCpuCounterArray("array " + i, COUNTERS);
                }
            });
            events.forEach(event -> System.out.println(event.getLong("usedUpTo") * 8 / event.getLong("stride")
                    + " eighths of " + event.getLong("stride") + " for " + event.getString("label")));
        }
    }

    @Test
    void anAreaThatFillsIsRecorded() {
        Jvm.Result result = Jvm.asHere().option("-Dpercpu.area.stride=8m").run(Filling.class);
        assertThat(result.output().lines())
                .containsExactly(
                        "4 eighths of 8388608 for array 2 of length 200000",
                        "6 eighths of 8388608 for array 3 of length 200000");
        assertThat(result.status()).isZero();
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
            super(Deployment.loader().getURLs(), ClassLoader.getPlatformClassLoader());
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
                Thread waiter = Thread.ofPlatform().start(RecordingTest::acquireAndClose);
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
        Jvm.Result result = Jvm.asHere().run(FirstWait.class);
        assertThat(result.output().lines())
                .contains("jdk.jfr.internal.event.EventWriter")
                .endsWith("the wait has begun");
        assertThat(result.status()).isZero();
    }

    /** Uses what could be recorded. */
    static final class Unrecorded {
        private Unrecorded() {}

        public static void main(String[] arguments) throws Exception {
            new PerCpuCounter("named").increment();
            PerCpuPool<Object> pool = PerCpuPool.builder(1, Object::new).build();
            Pooled<Object> held = pool.acquire();
            System.out.println(pool.tryAcquire());
            FutureTask<Pooled<Object>> acquired = new FutureTask<>(pool::acquire);
            try (LogCapture log = new LogCapture()) {
                new Thread(acquired).start();
                System.out.println(log.first());
            }
            held.release();
            acquired.get().release();
            Thread waiter = new Thread(RecordingTest::acquireAndClose);
            try (LogCapture log = new LogCapture();
                    CpuGuard _ = CpuGuard.acquire(CPU)) {
                waiter.start();
                System.out.println(log.first());
            }
            waiter.join();
            try (LogCapture log = new LogCapture()) {
                Holder.of(CPU).die();
                acquireAndClose();
                System.out.println(log.first());
            }
        }
    }

    @Test
    void withoutARecordingNoEventClassIsLoaded() {
        Jvm.Result result = Jvm.asHere().option("-Xlog:class+load").run(Unrecorded.class);
        assertThat(result.output())
                .contains(PerCpuPool.class.getName(), "an object of ", "held for over 2 s", "taken over")
                .doesNotContain(VariableEvent.class.getName())
                .doesNotContain(GuardContendedEvent.class.getName())
                .doesNotContain(GuardHeldLongEvent.class.getName())
                .doesNotContain(GuardTakenOverEvent.class.getName())
                .doesNotContain(PoolExhaustedEvent.class.getName())
                .doesNotContain(PoolAwaitedEvent.class.getName())
                .doesNotContain(PoolAwaitedLongEvent.class.getName());
        assertThat(result.status()).isZero();
    }
}
