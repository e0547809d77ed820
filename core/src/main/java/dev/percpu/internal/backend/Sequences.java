package dev.percpu.internal.backend;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.code.Catalogue;
import dev.percpu.internal.code.CodeMapping;
import dev.percpu.internal.code.Instrumentation;
import dev.percpu.internal.code.Sequence;
import dev.percpu.internal.code.SequenceLayout;
import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.LinuxException;
import dev.percpu.internal.linux.RseqRegistration;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Collections;
import java.util.List;

/**
 * The sequences of the {@link Catalogue}, emitted into executable memory. They are called through the Foreign Function
 * and Memory API as critical functions.
 *
 * <p>A handle is linked only when a protocol asks for it, since linking the first handle of a shape takes milliseconds.
 */
public final class Sequences {
    /**
     * Room for the whole catalogue, with less than 300 bytes for each entry, and for the delays. Unused memory is
     * not touched.
     */
    private static final int CODE_BYTES = 65536;

    private final CodeMapping code;

    private Sequences(CodeMapping code) {
        this.code = code;
    }

    /** Emits the whole catalogue, and prepares for restarting the sequences of other CPUs. */
    static Sequences emit(RseqRegistration registration) {
        return emit(registration, Instrumentation.NONE, Catalogue.entries());
    }

    /**
     * Emits sequences with delays or counters in them, for tests.
     *
     * @throws RseqUnavailableException if the kernel refuses what they need
     */
    public static Sequences emit(
            RseqRegistration registration, Instrumentation instrumentation, List<Sequence> entries) {
        try {
            Linux.registerForSequenceRestarts();
        } catch (LinuxException e) {
            throw new RseqUnavailableException("sequences on other CPUs cannot be restarted: " + e.getMessage(), e);
        }
        SequenceLayout layout =
                new SequenceLayout(registration.offset(), Area.CPUS, Area.SHIFT, Area.BASE + CpuHeader.GUARD_WORD);
        try {
            return new Sequences(CodeMapping.emit(CODE_BYTES, layout, instrumentation, entries));
        } catch (LinuxException e) {
            throw new RseqUnavailableException("there is no executable memory: " + e.getMessage(), e);
        }
    }

    /**
     * A handle that calls one sequence. In a {@code static final} field, the compiler treats it as a call of a
     * fixed address.
     */
    public MethodHandle link(Sequence sequence) {
        return Linux.bind(code.addressOf(sequence), longs(sequence.arguments()));
    }

    /**
     * A handle that takes the address of the sequence to call as its first argument. One linking serves all sequences
     * of a shape.
     */
    public static MethodHandle linkAny(int arguments) {
        return Linux.bindVirtual(longs(arguments));
    }

    /** The address for a handle of {@link #linkAny} to call. */
    public MemorySegment addressOf(Sequence sequence) {
        return MemorySegment.ofAddress(code.addressOf(sequence));
    }

    /** A function that takes so many numbers and returns one. */
    private static FunctionDescriptor longs(int arguments) {
        return FunctionDescriptor.of(
                JAVA_LONG, Collections.nCopies(arguments, JAVA_LONG).toArray(MemoryLayout[]::new));
    }

    /**
     * Rethrows what a call of a sequence threw. A sequence itself throws nothing, but the call can overflow the stack,
     * for example.
     */
    public static AssertionError thrown(Throwable t) {
        if (t instanceof Error e) {
            throw e;
        }
        return new AssertionError("a sequence threw", t);
    }
}
