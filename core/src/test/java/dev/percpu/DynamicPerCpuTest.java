package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.Area;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Garbage;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.Workers;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Variables made at run time: how their instances come into being and end. Where native access is denied their memory
 * lies outside the area, and ends with the last segment: what is about closed segments is tagged as native.
 */
@VmTest({"sparse", "strict"})
class DynamicPerCpuTest {
    private static final int CPUS = CpuMask.possible().weight();

    /** Counts how often it is closed. */
    private static final class Counted implements AutoCloseable {
        private final AtomicInteger closed;

        private Counted(AtomicInteger closed) {
            this.closed = closed;
        }

        @Override
        public void close() {
            closed.incrementAndGet();
        }
    }

    @Test
    void createWithMakesOneInstanceForEachPossibleCpu() {
        AtomicInteger made = new AtomicInteger();
        try (DynamicPerCpu<int[]> variable = DynamicPerCpu.createWith(() -> new int[] {made.incrementAndGet()})) {
            assertThat(made).hasValue(CPUS);
            List<Integer> seen = new ArrayList<>();
            variable.forEachCpu((cpu, instance) -> seen.add(instance[0]));
            assertThat(seen).doesNotHaveDuplicates().hasSize(CPUS);
        }
    }

    @Test
    void createFromTellsEachCpu() {
        try (DynamicPerCpu<CpuId> variable = DynamicPerCpu.createFrom(cpu -> cpu)) {
            variable.forEachCpu((cpu, instance) -> assertThat(instance).isEqualTo(cpu));
        }
    }

    @Test
    void createZeroIsZeroedMemoryOfItsOwn() {
        MemoryLayout layout = MemoryLayout.structLayout(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG);
        try (DynamicPerCpu<MemorySegment> first = DynamicPerCpu.createZero(layout);
                DynamicPerCpu<MemorySegment> second = DynamicPerCpu.createZero(layout)) {
            first.forEachCpu((cpu, memory) -> {
                assertThat(memory.byteSize()).isEqualTo(16);
                assertThat(memory.get(ValueLayout.JAVA_LONG, 8)).isZero();
                memory.fill((byte) -1);
                assertThatThrownBy(() -> memory.get(ValueLayout.JAVA_LONG, 16))
                        .isInstanceOf(IndexOutOfBoundsException.class);
            });
            second.forEachCpu((cpu, memory) ->
                    assertThat(memory.get(ValueLayout.JAVA_LONG, 0)).isZero());
            assertThatThrownBy(() -> first.run(memory -> {
                        try (CpuGuard guard = CpuGuard.acquire()) {
                            PerCpuToken.of(guard, second.ptr()).replace(memory);
                        }
                    }))
                    .isInstanceOf(UnsupportedOperationException.class);
        }
    }

    @Test
    void theLastHandleClosesEachInstanceOnce() {
        AtomicInteger closed = new AtomicInteger();
        DynamicPerCpu<Counted> first = DynamicPerCpu.createWith(() -> new Counted(closed));
        DynamicPerCpu<Counted> second = first.share();
        DynamicPerCpu<Counted> third = second.share();
        first.close();
        first.close();
        second.close();
        assertThat(closed).hasValue(0);
        assertThatThrownBy(first::ptr).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
        assertThatThrownBy(first::share).isInstanceOf(IllegalStateException.class);
        third.run(instance -> assertThat(instance).isNotNull());
        third.close();
        third.close();
        assertThat(closed).hasValue(CPUS);
        assertThatThrownBy(() -> third.run(instance -> {})).isInstanceOf(IllegalStateException.class);
        assertThat(third.toString()).contains("closed");
    }

    @Test
    void handlesShareTheInstances() {
        try (DynamicPerCpu<int[]> first = DynamicPerCpu.createWith(() -> new int[1]);
                DynamicPerCpu<int[]> second = first.share()) {
            assertThat(second.ptr()).isEqualTo(first.ptr());
            first.forEachCpu((cpu, instance) -> instance[0] = cpu.id() + 1);
            second.forEachCpu((cpu, instance) -> assertThat(instance[0]).isEqualTo(cpu.id() + 1));
        }
    }

    @Test
    void manyThreadsCloseHandlesAndOneOfThemIsTheLast() throws InterruptedException {
        for (int round = 0; round < Effort.scaled(50); round++) {
            AtomicInteger closed = new AtomicInteger();
            DynamicPerCpu<Counted> first = DynamicPerCpu.createWith(() -> new Counted(closed));
            List<DynamicPerCpu<Counted>> handles = new ArrayList<>(List.of(first));
            for (int i = 1; i < 8; i++) {
                handles.add(first.share());
            }
            Workers.run("closer-", 8, number -> handles.get(number).close());
            assertThat(closed).hasValue(CPUS);
        }
    }

    @Test
    void theLastHandleIsNotClosedByWhoHoldsAGuard() {
        AtomicInteger closed = new AtomicInteger();
        DynamicPerCpu<Counted> variable = DynamicPerCpu.createWith(() -> new Counted(closed));
        try (CpuGuard guard = CpuGuard.acquire()) {
            assertThatThrownBy(variable::close)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("holds the guard");
            assertThat(closed).hasValue(0);
            variable.getMut(guard).run(instance -> assertThat(instance).isNotNull());
        }
        variable.close();
        assertThat(closed).hasValue(CPUS);
    }

    @Test
    void aFactoryThatThrowsLeavesNothingBehind() {
        AtomicInteger closed = new AtomicInteger();
        assertThatThrownBy(() -> DynamicPerCpu.createFrom(cpu -> {
                    if (cpu.equals(lastCpu())) {
                        throw new IllegalArgumentException("no more");
                    }
                    return new Counted(closed);
                }))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no more");
        assertThat(closed).hasValue(CPUS - 1);
        assertThatThrownBy(() -> DynamicPerCpu.createWith(() -> null))
                .isInstanceOf(NullPointerException.class)
                .hasMessageContaining("must not be null");
    }

    @Test
    void aViewThatThrowsLeavesNothingBehind() {
        AtomicInteger made = new AtomicInteger();
        AtomicInteger closed = new AtomicInteger();
        assertThatThrownBy(() -> DynamicPerCpu.createZero(ValueLayout.JAVA_LONG, _ -> {
                    if (made.incrementAndGet() == CPUS) {
                        throw new IllegalArgumentException("no more");
                    }
                    return new Counted(closed);
                }))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no more");
        assertThat(closed).hasValue(CPUS - 1);
    }

    @Test
    void everyInstanceIsClosedWhateverTheOthersThrow() {
        AtomicInteger closed = new AtomicInteger();
        DynamicPerCpu<AutoCloseable> variable = DynamicPerCpu.createFrom(cpu -> () -> {
            closed.incrementAndGet();
            throw new java.io.IOException("instance of " + cpu);
        });
        assertThatThrownBy(variable::close)
                .isInstanceOf(IllegalStateException.class)
                .cause()
                .hasMessageContaining("instance of CPU")
                .satisfies(first -> assertThat(first.getSuppressed()).hasSize(CPUS - 1));
        assertThat(closed).hasValue(CPUS);
    }

    @Test
    void memoryThatNobodyHasComesBackZeroed() throws InterruptedException {
        MemoryLayout layout = MemoryLayout.sequenceLayout(512, ValueLayout.JAVA_LONG);
        long before = Area.usedBytesPerCpu();
        for (int i = 0; i < 100; i++) {
            DynamicPerCpu<MemorySegment> variable = DynamicPerCpu.createZero(layout);
            variable.forEachCpu((cpu, memory) -> memory.fill((byte) -1));
        }
        Garbage.collectUntil(() -> Area.usedBytesPerCpu() <= before);
        try (DynamicPerCpu<MemorySegment> variable = DynamicPerCpu.createZero(layout)) {
            variable.forEachCpu((cpu, memory) -> assertThat(memory.mismatch(MemorySegment.ofArray(new long[512])))
                    .isEqualTo(-1));
        }
    }

    /** Without a collection: the memory is there for the next variable when close returns. */
    @Test
    @Tag("native")
    void memoryThatIsClosedIsBackAtOnce() {
        MemoryLayout layout = MemoryLayout.sequenceLayout(512, ValueLayout.JAVA_LONG);
        DynamicPerCpu<MemorySegment> variable = DynamicPerCpu.createZero(layout);
        long position = variable.ptr().position();
        variable.forEachCpu((cpu, memory) -> memory.fill((byte) -1));
        variable.close();
        for (int i = 0; i < 1_000; i++) {
            try (DynamicPerCpu<MemorySegment> next = DynamicPerCpu.createZero(layout)) {
                assertThat(next.ptr().position()).isLessThanOrEqualTo(position);
                next.forEachCpu((cpu, memory) -> assertThat(memory.mismatch(MemorySegment.ofArray(new long[512])))
                        .isEqualTo(-1));
                next.forEachCpu((cpu, memory) -> memory.fill((byte) -1));
            }
        }
    }

    @Test
    void aSegmentThatIsKeptKeepsTheMemory() throws InterruptedException {
        MemoryLayout layout = ValueLayout.JAVA_LONG;
        List<MemorySegment> kept = new ArrayList<>();
        DynamicPerCpu<MemorySegment> variable = DynamicPerCpu.createZero(layout);
        variable.forEachCpu((cpu, memory) -> kept.add(memory));
        variable = null;
        for (int i = 0; i < 5; i++) {
            System.gc();
            Thread.sleep(10);
        }
        try (DynamicPerCpu<MemorySegment> next = DynamicPerCpu.createZero(layout)) {
            kept.forEach(memory -> memory.set(ValueLayout.JAVA_LONG, 0, -1));
            next.forEachCpu((cpu, memory) ->
                    assertThat(memory.get(ValueLayout.JAVA_LONG, 0)).isZero());
        }
    }

    @Test
    void variablesWithinVariablesAreClosedToo() {
        AtomicInteger closed = new AtomicInteger();
        DynamicPerCpu<DynamicPerCpu<Counted>> outer =
                DynamicPerCpu.createWith(() -> DynamicPerCpu.createWith(() -> new Counted(closed)));
        outer.close();
        assertThat(closed).hasValue(CPUS * CPUS);
    }

    @Test
    void anErrorInOneCloseDoesNotKeepTheOthersOpen() {
        AtomicInteger closed = new AtomicInteger();
        DynamicPerCpu<AutoCloseable> variable = DynamicPerCpu.createFrom(cpu -> () -> {
            closed.incrementAndGet();
            throw new AssertionError("instance of " + cpu);
        });
        assertThatThrownBy(variable::close).isInstanceOf(AssertionError.class);
        assertThat(closed).hasValue(CPUS);
        assertThatThrownBy(variable::ptr).isInstanceOf(IllegalStateException.class);
    }

    /** A token keeps the last handle's close waiting, and what is closed is what is there after it. */
    @Test
    void closingWaitsForTokensAndClosesWhatTheyLeft() throws InterruptedException {
        AtomicInteger closedFirst = new AtomicInteger();
        AtomicInteger closedSecond = new AtomicInteger();
        DynamicPerCpu<Counted> variable = DynamicPerCpu.createWith(() -> new Counted(closedFirst));
        PerCpuPtr<Counted> kept = variable.ptr();
        Thread closer = new Thread(variable::close);
        try (CpuGuard guard = CpuGuard.acquire(lastCpu())) {
            PerCpuToken<Counted> token = variable.getMut(guard);
            token.replace(new Counted(closedSecond));
            closer.start();
            Workers.awaitTimedWait(closer);
            assertThat(closedFirst).hasValue(0);
            assertThat(closedSecond).hasValue(0);
            assertThatThrownBy(() -> token.run(instance -> {})).isInstanceOf(IllegalStateException.class);
        }
        closer.join();
        assertThat(closedFirst).hasValue(CPUS - 1);
        assertThat(closedSecond).hasValue(1);
        try (CpuGuard guard = CpuGuard.acquire()) {
            assertThatThrownBy(() -> PerCpuToken.of(guard, kept)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void closedVariablesNeverFillTheArea() {
        int pieces = 8;
        long piece = Area.STRIDE / pieces;
        MemoryLayout layout = MemoryLayout.sequenceLayout(piece, ValueLayout.JAVA_BYTE);
        for (int i = 0; i < 2 * pieces + Effort.scaled(20); i++) {
            DynamicPerCpu.createZero(layout).close();
        }
    }

    private static CpuId lastCpu() {
        return CpuId.of(CpuMask.possible().ids().max().orElseThrow());
    }
}
