package dev.percpu.internal.code;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.RseqRegistration;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;

/** Emits sequences for the tests and calls them. */
final class SequencesUnderTest {
    static final List<Integer> WIDTHS = List.of(8, 16, 32, 64);

    private static final MethodHandle CALL =
            Linux.bindVirtual(FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));

    private SequencesUnderTest() {}

    /** What is compiled into the product's own sequences. */
    static SequenceLayout layout() {
        return layoutFor(Area.CPUS);
    }

    /** For a machine with the given number of CPUs; with 0, every thread is one without a CPU. */
    static SequenceLayout layoutFor(int cpus) {
        return new SequenceLayout(RseqRegistration.read().offset(), cpus, Area.SHIFT, Area.BASE + CpuHeader.GUARD_WORD);
    }

    /** One sequence, with its own code mapping. */
    static Emitted emit(SequenceLayout layout, Instrumentation instrumentation, Emission emission) {
        List<Long> entry = new ArrayList<>();
        CodeMapping mapping =
                CodeMapping.emit(4096, layout, instrumentation, sequence -> entry.add(emission.emit(sequence)));
        return new Emitted(mapping, entry.getFirst());
    }

    /** What to emit; returns the address to call. */
    @FunctionalInterface
    interface Emission {
        long emit(Sequence sequence);
    }

    /** An emitted sequence, whose descriptor lies in front of its entry. */
    record Emitted(CodeMapping mapping, long entry) {
        static final int DESCRIPTOR = 32;

        long call(long slot, long operand, long expected) {
            try {
                return (long) CALL.invokeExact(MemorySegment.ofAddress(entry), slot, operand, expected);
            } catch (Throwable t) {
                throw new AssertionError(t);
            }
        }

        long start() {
            return mapping.code().get(JAVA_LONG, descriptor() + 8);
        }

        long end() {
            return start() + mapping.code().get(JAVA_LONG, descriptor() + 16);
        }

        long abort() {
            return mapping.code().get(JAVA_LONG, descriptor() + 24);
        }

        private long descriptor() {
            return entry - DESCRIPTOR - mapping.code().address();
        }
    }

    /** Whether there is such an operation at such a width. */
    static boolean exists(Op op, int bits) {
        return op != Op.ADD_DOUBLE || bits == 64;
    }
}
