package dev.percpu.internal.backend;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.code.Assembler;
import dev.percpu.internal.code.Catalogue;
import dev.percpu.internal.code.CodeMapping;
import dev.percpu.internal.code.EventShape;
import dev.percpu.internal.code.Instrumentation;
import dev.percpu.internal.code.PerfMap;
import dev.percpu.internal.code.Sequence;
import dev.percpu.internal.code.SequenceLayout;
import dev.percpu.internal.failure.Log;
import dev.percpu.internal.linux.Architecture;
import dev.percpu.internal.linux.BoundThread;
import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.LinuxException;
import dev.percpu.internal.linux.Platform;
import dev.percpu.internal.linux.RseqRegistration;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The sequences of the {@link Catalogue}, emitted into executable memory. They are called through the Foreign Function
 * and Memory API as critical functions: see {@link LinkedSequence}.
 */
public final class Sequences {
    /**
     * Room for the whole catalogue, with less than 300 bytes for each entry, and for the delays. Unused memory is
     * not touched.
     */
    private static final int CODE_BYTES = 65536;

    /** Room for a shape with as many updates as an event may have, and for the delays. */
    private static final int SHAPE_BYTES = 16384;

    /**
     * How many shapes get code. Each keeps a mapping for the life of the process. A program has as many as there are
     * kinds of events in its sources; one that makes them up at run time must not use up the process's mappings.
     */
    private static final int MOST_SHAPES = 256;

    private final SequenceLayout layout;
    private final Instrumentation instrumentation;
    private final CodeMapping code;

    /** By the names of their sequences. Guarded by its own lock. */
    private final Map<String, MemorySegment> shapes = new HashMap<>();

    private Sequences(SequenceLayout layout, Instrumentation instrumentation, CodeMapping code) {
        this.layout = layout;
        this.instrumentation = instrumentation;
        this.code = code;
    }

    /**
     * Emits the whole catalogue, and registers the process for restarts of sequences on other CPUs. The kernel takes
     * some milliseconds for that, during which a thread waits and no CPU is busy. So another thread registers it, while
     * this one links and emits. If no thread can be started, this one does so at the end.
     */
    static Sequences emit(RseqRegistration registration) {
        BoundThread registering = BoundThread.tryStart(BoundThread.ANYWHERE, new Registering());
        Sequences sequences;
        try {
            LinkedSequence.prepare(0);
            sequences = emitCode(registration, Instrumentation.NONE, Catalogue.entries());
        } finally {
            if (registering != null) {
                Throwable _ = registering.await();
            }
        }
        // If the kernel refused, it does so again. Otherwise it has nothing left to do.
        registerForRestarts();
        return sequences;
    }

    private static final class Registering implements Runnable {
        @Override
        public void run() {
            Linux.registerForSequenceRestarts();
        }
    }

    private static void registerForRestarts() {
        try {
            Linux.registerForSequenceRestarts();
        } catch (LinuxException e) {
            throw notRestarted(e);
        }
    }

    static RseqUnavailableException notRestarted(LinuxException refused) {
        return new RseqUnavailableException(
                "sequences on other CPUs cannot be restarted: " + refused.getMessage(), refused);
    }

    /**
     * Emits sequences with delays or counters in them, for tests.
     *
     * @throws RseqUnavailableException if the kernel refuses what they need
     */
    public static Sequences emit(
            RseqRegistration registration, Instrumentation instrumentation, List<Sequence> entries) {
        registerForRestarts();
        return emitCode(registration, instrumentation, entries);
    }

    private static Sequences emitCode(
            RseqRegistration registration, Instrumentation instrumentation, List<Sequence> entries) {
        SequenceLayout layout = new SequenceLayout(
                registration.offset(), Area.CPUS, Area.SHIFT, Area.BASE + CpuHeader.GUARD_WORD, Area.gateDistance());
        try {
            return new Sequences(
                    layout, instrumentation, CodeMapping.emit(CODE_BYTES, layout, instrumentation, entries));
        } catch (LinuxException e) {
            throw new RseqUnavailableException("there is no executable memory: " + e.getMessage(), e);
        }
    }

    /**
     * A sequence of the catalogue, ready to be called.
     *
     * @throws IllegalArgumentException if it was not emitted here
     */
    public LinkedSequence link(Sequence sequence) {
        prepareCall(sequence);
        return find(sequence);
    }

    private void prepareCall(Sequence sequence) {
        LinkedSequence.prepare(sequence.arguments());
        if (sequence.arguments() > LinkedSequence.FEWEST) {
            // Also the call itself, which the JVM links when it is first made: that takes 130 KiB of heap. (The call
            // with fewer numbers was made by the self-test.) This sequence only reads, whatever it is passed.
            find(Catalogue.CURRENT_CPU).rehearse(sequence.arguments());
        }
    }

    /**
     * A sequence of the catalogue. If it takes more than two arguments, its first call may have to link a handle, which
     * {@link #link} does at once.
     *
     * @throws IllegalArgumentException if it was not emitted here
     */
    public LinkedSequence find(Sequence sequence) {
        return new LinkedSequence(code.entryOf(sequence));
    }

    /**
     * A sequence that uses neither the area nor {@code struct rseq}, ready to be called, on any back end.
     *
     * @return null if this JVM cannot run machine code of its own
     */
    public static @Nullable LinkedSequence linkWithoutArea(Sequence sequence) {
        if (!Platform.hasSystemCalls() || !Assembler.exists(Architecture.current())) {
            return null;
        }
        try {
            CodeMapping mapping = CodeMapping.emit(
                    SHAPE_BYTES, new SequenceLayout(0, 0, 0, 0, 0), Instrumentation.NONE, List.of(sequence));
            LinkedSequence.prepare(sequence.arguments());
            return new LinkedSequence(mapping.entryOf(sequence));
        } catch (LinuxException refused) {
            // Executable memory may be refused to this process, and the caller has another way.
            return null;
        }
    }

    /**
     * The address of a shape's code, ready to be called. It is emitted when the first event of that shape needs it.
     * {@link MemorySegment#NULL} if the kernel gives no executable memory any more, or if there are too many shapes.
     */
    public MemorySegment link(EventShape shape) {
        Sequence sequence = shape.sequence();
        prepareCall(sequence);
        try {
            synchronized (shapes) {
                MemorySegment address = shapes.get(sequence.name());
                if (address == null && shapes.size() < MOST_SHAPES) {
                    // What a refusal leaves is that there is no code for this shape.
                    shapes.put(sequence.name(), MemorySegment.NULL);
                    CodeMapping mapping;
                    try {
                        mapping = CodeMapping.emit(SHAPE_BYTES, layout, instrumentation, List.of(sequence));
                    } catch (OutOfMemoryError | StackOverflowError e) {
                        // The kernel refused nothing, so the next event of this shape tries again.
                        shapes.remove(sequence.name());
                        throw e;
                    }
                    // First, and without an allocation: whatever fails after that, the code is made only once.
                    address = mapping.entryOf(sequence);
                    shapes.put(sequence.name(), address);
                    if (PerfMap.isWanted()) {
                        PerfMap.write(mapping.symbols());
                    }
                }
                return address == null ? MemorySegment.NULL : address;
            }
        } catch (LinuxException e) {
            // The self-test passed, so the process has lost a right since then, or has too many mappings.
            Log.warn("there is no executable memory for an event, which therefore updates its variables one by one", e);
            return MemorySegment.NULL;
        }
    }

    /** The sequences with their addresses, for profilers. */
    List<CodeMapping.Symbol> symbols() {
        return code.symbols();
    }
}
