package dev.percpu.benchmarks;

import dev.percpu.PerCpuRuntime;
import dev.percpu.cpu.CpuMask;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** The functions in C, compiled when they are asked for. */
final class SequenceInC {
    /** How far apart two CPUs' slots are, as a power of two: a page, so that they disturb each other in nothing. */
    static final int SHIFT = 12;

    private static final String SOURCE = "sequence.c";

    /** Up to where the registered {@code struct rseq} must reach to have the fields that the sequence uses. */
    private static final int RSEQ_BYTES = 16;

    private SequenceInC() {}

    /**
     * A handle for one of the functions.
     *
     * @throws IllegalStateException if there is no gcc, or no restartable sequences
     */
    static MethodHandle link(String function, FunctionDescriptor descriptor, Linker.Option... options) {
        PerCpuRuntime.Rseq rseq = PerCpuRuntime.rseq();
        if (rseq.size() < RSEQ_BYTES) {
            throw new IllegalStateException(
                    "this process has no restartable sequences, so there is no sequence to measure");
        }
        try {
            Path directory = Files.createTempDirectory("percpu-benchmarks");
            try {
                // Never unloaded: a thread's rseq_cs may point into the library long after the last call.
                SymbolLookup library = SymbolLookup.libraryLookup(compile(directory, rseq.offset()), Arena.global());
                return Linker.nativeLinker().downcallHandle(library.findOrThrow(function), descriptor, options);
            } finally {
                deleteFilesIn(directory);
            }
        } catch (IOException e) {
            throw new IllegalStateException(SOURCE + " cannot be compiled", e);
        }
    }

    private static Path compile(Path directory, long rseqOffset) throws IOException {
        Path source = directory.resolve(SOURCE);
        Path library = directory.resolve("sequence.so");
        try (InputStream resource = Objects.requireNonNull(SequenceInC.class.getResourceAsStream(SOURCE))) {
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
                    "gcc is needed to measure what is written in C: install it, or leave that out (-e AddBenchmark.c)",
                    e);
        }
        String messages = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.onExit().join().exitValue() != 0) {
            throw new IllegalStateException("gcc cannot compile " + SOURCE + ":\n" + messages);
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
