package dev.percpu.internal.jfr;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.CpuGuard;
import dev.percpu.Holder;
import dev.percpu.PerCpuNumeric;
import dev.percpu.PerCpuRuntime;
import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.Pooled;
import dev.percpu.cpu.CpuId;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.LogCapture;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.FutureTask;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;

/** What a recording of the flight recorder shows, and that nothing is done without one. */
class RecordingTest {
    private static final CpuId CPU = CpuId.of(0);

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
            assertThat(PerCpuRuntime.variables())
                    .filteredOn(each -> each.name().equals("recorded counter"))
                    .singleElement()
                    .satisfies(listed -> assertThat(event.getLong("serial")).isEqualTo(listed.serial()));
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

    /** Names a static variable, and no other, while a recording runs that began before the library did. */
    static final class Late {
        private Late() {}

        public static void main(String[] arguments) {
            PerCpuNumeric.define("late", NumericWidth.LONG).increment();
            System.out.println("back end: " + PerCpuRuntime.backend());
        }
    }

    /** Its first chunk has begun before the library could register what it records then. */
    @Test
    void aRecordingFromTheJvmsStartHasTheBackEnd() throws Exception {
        Path file = Files.createTempFile("percpu", ".jfr");
        try {
            String output = Jvm.asHere()
                    .option("-XX:StartFlightRecording:filename=" + file)
                    .outputOf(Late.class);
            assertThat(RecordingFile.readAllEvents(file))
                    .filteredOn(event -> event.getEventType().getName().equals("dev.percpu.BackEnd"))
                    .map(event -> "back end: " + event.getString("backEnd"))
                    .isNotEmpty()
                    .allSatisfy(backEnd -> assertThat(output).contains(backEnd));
        } finally {
            Files.delete(file);
        }
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
        String output = Jvm.asHere().option("-Dpercpu.area.stride=8m").outputOf(Filling.class);
        assertThat(output.lines())
                .containsExactly(
                        "4 eighths of 8388608 for array 2 of length 200000",
                        "6 eighths of 8388608 for array 3 of length 200000");
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
            Thread waiter = new Thread(GuardRecordingTest::acquireAndClose);
            try (LogCapture log = new LogCapture();
                    CpuGuard _ = CpuGuard.acquire(CPU)) {
                waiter.start();
                System.out.println(log.first());
            }
            waiter.join();
            try (LogCapture log = new LogCapture()) {
                Holder.of(CPU).die();
                GuardRecordingTest.acquireAndClose();
                System.out.println(log.first());
            }
        }
    }

    @Test
    void withoutARecordingNoEventClassIsLoaded() {
        assertThat(Jvm.asHere().option("-Xlog:class+load").outputOf(Unrecorded.class))
                .contains(PerCpuPool.class.getName(), "an object of ", "taken over")
                .containsPattern("held for over \\d+ s")
                .doesNotContainPattern("dev\\.percpu\\.internal\\.jfr\\.\\w+Event ");
    }
}
