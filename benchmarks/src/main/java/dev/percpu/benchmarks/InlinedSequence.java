package dev.percpu.benchmarks;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.percpu.PerCpuRuntime;
import dev.percpu.cpu.CpuMask;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The restartable sequence of a 64-bit addition inlined in a loop in C: the floor for every way of calling it.
 *
 * <p>It is a state of its own, so that only the benchmark that uses it fails where there is no gcc.
 */
@State(Scope.Benchmark)
public class InlinedSequence {
    /** How many additions one call makes: so many that the call itself costs nothing. */
    static final int OPERATIONS = 10_000;

    private static final String SOURCE = "sequence.c";

    /** How far apart two CPUs' slots are, as a power of two: a page, so that they disturb each other in nothing. */
    private static final int SHIFT = 12;

    /** Up to where the registered {@code struct rseq} must reach to have the fields that the sequence uses. */
    private static final int RSEQ_BYTES = 16;

    private final MethodHandle addMany = compileAndLink();
    private final MemorySegment slots = Arena.ofAuto().allocate((long) CpuMask.capacity() << SHIFT, 1L << SHIFT);
    private final LongAdder calls = new LongAdder();

    /** Adds 1 to the current CPU's slot, {@link #OPERATIONS} times. */
    void add() {
        long done;
        try {
            done = (long) addMany.invokeExact(slots, 1L, (long) OPERATIONS);
        } catch (Throwable t) {
            throw new AssertionError("the C function threw", t);
        }
        if (done != OPERATIONS) {
            throw new IllegalStateException("the kernel gives this thread no CPU id");
        }
        calls.increment();
    }

    /** Checks that each addition was made once. The calls are counted here, one count for many additions. */
    @TearDown
    public void checkExactness() {
        long counted = 0;
        for (int cpu = 0; cpu < CpuMask.capacity(); cpu++) {
            counted += slots.get(JAVA_LONG, (long) cpu << SHIFT);
        }
        if (counted != calls.sum() * OPERATIONS) {
            throw new IllegalStateException(
                    "the sequence in C counted " + counted + " of " + calls.sum() * OPERATIONS + " additions");
        }
    }

    private static MethodHandle compileAndLink() {
        PerCpuRuntime.Rseq rseq = PerCpuRuntime.rseq();
        if (rseq.size() < RSEQ_BYTES) {
            throw new IllegalStateException(
                    "this process has no restartable sequences, so there is no floor to measure");
        }
        try {
            Path directory = Files.createTempDirectory("percpu-benchmarks");
            try {
                // Never unloaded: a thread's rseq_cs may point into the library long after the last call.
                SymbolLookup library = SymbolLookup.libraryLookup(compile(directory, rseq.offset()), Arena.global());
                return Linker.nativeLinker()
                        .downcallHandle(
                                library.findOrThrow("add_many"),
                                FunctionDescriptor.of(JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG));
            } finally {
                deleteFilesIn(directory);
            }
        } catch (IOException e) {
            throw new IllegalStateException("the sequence in C cannot be compiled", e);
        }
    }

    private static Path compile(Path directory, long rseqOffset) throws IOException {
        Path source = directory.resolve(SOURCE);
        Path library = directory.resolve("sequence.so");
        try (InputStream resource = Objects.requireNonNull(InlinedSequence.class.getResourceAsStream(SOURCE))) {
            Files.copy(resource, source);
        }
        ProcessBuilder compiler = new ProcessBuilder(
                "gcc",
                "-O2",
                "-shared",
                "-fPIC",
                "-DRSEQ_OFFSET=" + rseqOffset,
                "-DCPUS=" + CpuMask.capacity(),
                "-DSHIFT=" + SHIFT,
                "-o",
                library.toString(),
                source.toString());
        Process process;
        try {
            process = compiler.redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new IllegalStateException(
                    "gcc is needed to measure the sequence in C: install it, or leave this benchmark out (-e cSequence)",
                    e);
        }
        String messages = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.onExit().join().exitValue() != 0) {
            throw new IllegalStateException("gcc cannot compile the sequence in C:\n" + messages);
        }
        return library;
    }

    private static void deleteFilesIn(Path directory) throws IOException {
        try (var files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }
}
