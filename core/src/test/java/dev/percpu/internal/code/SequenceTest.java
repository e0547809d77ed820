package dev.percpu.internal.code;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.OnCpu;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.area.WidthAccess;
import dev.percpu.internal.linux.Topology;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Effort;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.Workers;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What each sequence does, on a CPU and without one, compared with the same in Java. */
@Tag("rseq")
@VmTest("machine")
class SequenceTest {
    /** Random numbers show most faults of a sequence in the first rounds already. */
    private static final int ROUNDS = Math.max(100, Effort.scaled(2_000));

    private static final int CPU = Topology.usable().nextSetBit(0);

    /** Far off zero, so that a neighbour that changes is seen. */
    private static final long NEIGHBOURS = 0x5a5a5a5a5a5a5a5aL;

    private final long position = Area.allocate(24, 8, "SequenceTest");
    private final Random random = new Random(3);

    @ParameterizedTest
    @MethodSource("pureOps")
    void pureOnTheOwnCpu(Op op) {
        OnCpu.run(CPU, () -> compareWithJava(op, SequencesUnderTest.layout(), CPU));
    }

    @ParameterizedTest
    @MethodSource("pureOps")
    void pureWithoutACpu(Op op) {
        // With room for no CPU, every id is out of bounds, and the spare place is the first.
        compareWithJava(op, SequencesUnderTest.layoutFor(0), 0);
    }

    @ParameterizedTest
    @MethodSource("guardedOps")
    void guardedWhileTheGuardIsFree(Op op) {
        OnCpu.run(CPU, () -> {
            for (NumericWidth width : NumericWidth.values()) {
                var sequence = emit(SequencesUnderTest.layout(), Catalogue.guarded(op, width));
                long offset = Area.offset(CPU, position + 8);
                for (int round = 0; round < ROUNDS; round++) {
                    long operand = operand(op);
                    long old = WidthAccess.get(width, offset);
                    assertThat(sequence.call(Area.BASE + position + 8, operand, 0))
                            .isEqualTo(Catalogue.DONE);
                    assertThat(WidthAccess.get(width, offset)).isEqualTo(width.wrap(op.applyTo(old, operand)));
                }
            }
        });
    }

    @ParameterizedTest
    @MethodSource("guardedOps")
    void guardedWhileTheGuardIsTaken(Op op) {
        OnCpu.run(CPU, () -> {
            long word = Area.offset(CPU, CpuHeader.GUARD_WORD);
            long offset = Area.offset(CPU, position + 8);
            for (NumericWidth width : NumericWidth.values()) {
                var sequence = emit(SequencesUnderTest.layout(), Catalogue.guarded(op, width));
                WidthAccess.set(width, offset, 42);
                // No other thread of this JVM uses guards.
                assertThat(Area.LONG.compareAndSet(Area.MEMORY, word, 0L, -7L)).isTrue();
                try {
                    assertThat(sequence.call(Area.BASE + position + 8, 5, 0)).isEqualTo(Catalogue.REFUSED);
                } finally {
                    Area.LONG.setRelease(Area.MEMORY, word, 0L);
                }
                assertThat(WidthAccess.get(width, offset)).isEqualTo(42);
            }
        });
    }

    @Test
    void guardedWithoutACpuDoesNothing() {
        var sequence = emit(SequencesUnderTest.layoutFor(0), Catalogue.guarded(Op.ADD, NumericWidth.LONG));
        assertThat(sequence.call(Area.BASE + position, 5, 0)).isEqualTo(Catalogue.REFUSED);
        assertThat(WidthAccess.get(NumericWidth.LONG, Area.offset(0, position))).isZero();
    }

    @Test
    void gatedWithoutACpuDoesNothing() {
        var sequence = emit(SequencesUnderTest.layoutFor(0), Catalogue.GATED_ADD_DOUBLE);
        assertThat(sequence.call(Area.BASE + position, 5, 0)).isEqualTo(Catalogue.REFUSED);
        assertThat(WidthAccess.get(NumericWidth.LONG, Area.offset(0, position))).isZero();
    }

    @Test
    void acquire() {
        OnCpu.run(CPU, () -> {
            long word = Area.offset(CPU, CpuHeader.GUARD_WORD);
            var sequence = emit(SequencesUnderTest.layout(), Catalogue.ACQUIRE);
            assertThat(sequence.call(Long.MAX_VALUE, 0, 0)).isEqualTo(CPU);
            try {
                assertThat((long) Area.LONG.getVolatile(Area.MEMORY, word)).isEqualTo(Long.MAX_VALUE);
                assertThat(sequence.call(7, 0, 0)).as("taken").isEqualTo(~CPU);
                assertThat((long) Area.LONG.getVolatile(Area.MEMORY, word)).isEqualTo(Long.MAX_VALUE);
            } finally {
                Area.LONG.setRelease(Area.MEMORY, word, 0L);
            }
        });
        assertThat(emit(SequencesUnderTest.layoutFor(0), Catalogue.ACQUIRE).call(7, 0, 0))
                .isEqualTo(Catalogue.NO_CPU);
    }

    @Test
    void manyThreadsWithoutACpuShareOnePlaceAndLoseNothing() throws InterruptedException {
        int threads = 4;
        int rounds = Effort.scaled(200_000);
        for (NumericWidth width : NumericWidth.values()) {
            var add = emit(SequencesUnderTest.layoutFor(0), Catalogue.pure(Op.ADD, width));
            WidthAccess.set(width, Area.offset(CPU, position), 0);
            Workers.run("no-cpu-", threads, number -> {
                for (int i = 0; i < rounds; i++) {
                    add.call(Area.BASE + position, 3, 0);
                }
            });
            assertThat(WidthAccess.get(width, Area.offset(CPU, position))).isEqualTo(width.wrap(3L * threads * rounds));
        }
    }

    private void compareWithJava(Op op, SequenceLayout layout, int cpu) {
        for (NumericWidth width : widths(op)) {
            var sequence = emit(layout, Catalogue.pure(op, width));
            for (int round = 0; round < ROUNDS; round++) {
                for (long at = 0; at < 24; at += 8) {
                    Area.LONG.set(Area.MEMORY, Area.offset(cpu, position + at), NEIGHBOURS);
                }
                long offset = Area.offset(cpu, position + 8);
                long old = op == Op.ADD_DOUBLE ? operand(op) : random.nextLong();
                WidthAccess.set(width, offset, old);
                old = width.wrap(old);
                long operand = operand(op);
                // Every other time it is what is there, with other bits above the width; or one bit of it differs.
                long expected = old ^ (round % 2 == 0 ? outside(width) : 1L << random.nextInt(width.bits()));

                long result = sequence.call(Area.BASE + position + 8, operand, expected);

                boolean stores = op != Op.READ && (op != Op.CMPXCHG || width.wrap(expected) == old);
                long next = stores ? width.wrap(op.applyTo(old, operand)) : old;
                assertThat(WidthAccess.get(width, offset))
                        .as("%s %s stored", op, width)
                        .isEqualTo(next);
                assertThat(width.wrap(result)).as("%s %s result", op, width).isEqualTo(op.computes() ? next : old);
                for (long at = width.bytes(); at < 16; at++) {
                    assertThat(Area.MEMORY.get(ValueLayout.JAVA_BYTE, offset + at))
                            .isEqualTo((byte) NEIGHBOURS);
                }
                assertThat((long) Area.LONG.get(Area.MEMORY, offset - 8)).isEqualTo(NEIGHBOURS);
            }
        }
    }

    private static long outside(NumericWidth width) {
        return width == NumericWidth.LONG ? 0 : -1L << width.bits();
    }

    private long operand(Op op) {
        return op == Op.ADD_DOUBLE ? Double.doubleToRawLongBits(random.nextDouble() - 0.5) : random.nextLong();
    }

    private static NumericWidth[] widths(Op op) {
        return Stream.of(NumericWidth.values()).filter(op::isPure).toArray(NumericWidth[]::new);
    }

    static Stream<Op> pureOps() {
        return Stream.of(Op.values()).filter(op -> op.isPure(NumericWidth.LONG));
    }

    static Stream<Op> guardedOps() {
        return Stream.of(Op.values()).filter(Op::isGuarded);
    }

    private static SequencesUnderTest.Emitted emit(SequenceLayout layout, Sequence sequence) {
        return SequencesUnderTest.emit(layout, Instrumentation.NONE, sequence);
    }
}
