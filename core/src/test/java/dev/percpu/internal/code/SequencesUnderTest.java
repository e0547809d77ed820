package dev.percpu.internal.code;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.RseqRegistration;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;

/** Emits sequences for the tests and calls them. */
final class SequencesUnderTest {
    private static final MethodHandle CALL =
            Linux.bindVirtual(FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));

    private SequencesUnderTest() {}

    /** What is compiled into the product's own sequences. */
    static SequenceLayout layout() {
        return layoutFor(Area.CPUS);
    }

    /** For a machine with the given number of CPUs; with 0, every thread is one without a CPU. */
    static SequenceLayout layoutFor(int cpus) {
        return new SequenceLayout(
                RseqRegistration.read().offset(),
                cpus,
                Area.SHIFT,
                Area.BASE + CpuHeader.GUARD_WORD,
                Area.gateDistance());
    }

    /** One sequence, with its own code mapping. */
    static Emitted emit(SequenceLayout layout, Instrumentation instrumentation, Sequence sequence) {
        CodeMapping mapping = CodeMapping.emit(4096, layout, instrumentation, List.of(sequence));
        return new Emitted(mapping, mapping.entryOf(sequence));
    }

    /** An emitted sequence, whose descriptor lies in front of its entry. */
    record Emitted(CodeMapping mapping, MemorySegment entry) {
        static final int DESCRIPTOR = 32;

        long call(long slot, long operand, long expected) {
            try {
                return (long) CALL.invokeExact(entry, slot, operand, expected);
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
            return entry.address() - DESCRIPTOR - mapping.code().address();
        }
    }
}
