package dev.percpu.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Functions in C, compiled when they are asked for. */
final class CSource {
    private CSource() {}

    /**
     * Compiles a file of this package, and loads it.
     *
     * @param definitions options of the compiler
     * @throws IllegalStateException if there is no gcc, if it refuses the file, or if the result cannot be loaded
     */
    static SymbolLookup load(String source, String... definitions) {
        try {
            Path directory = Files.createTempDirectory("percpu-benchmarks");
            try {
                // Never unloaded: a thread's rseq_cs may point into the library long after the last call.
                return SymbolLookup.libraryLookup(compile(directory, source, definitions), Arena.global());
            } catch (IllegalArgumentException e) {
                throw new IllegalStateException(
                        source + " cannot be loaded from " + directory + ": set java.io.tmpdir to a directory that"
                                + " is not mounted with noexec",
                        e);
            } finally {
                deleteFilesIn(directory);
            }
        } catch (IOException e) {
            throw new IllegalStateException(source + " cannot be compiled", e);
        }
    }

    private static Path compile(Path directory, String name, String... definitions) throws IOException {
        Path source = directory.resolve(name);
        Path library = directory.resolve("library.so");
        try (InputStream resource = Objects.requireNonNull(CSource.class.getResourceAsStream(name))) {
            Files.copy(resource, source);
        }
        List<String> command = new ArrayList<>(List.of("gcc", "-O2", "-shared", "-fPIC"));
        command.addAll(List.of(definitions));
        command.addAll(List.of("-o", library.toString(), source.toString()));
        Process process;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new IllegalStateException(
                    "gcc is needed for what is written in C: install it, or leave out that and the floors"
                            + " (-e 'cSequence|FloorBenchmark')",
                    e);
        }
        String messages = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.onExit().join().exitValue() != 0) {
            throw new IllegalStateException("gcc cannot compile " + name + ": " + messages);
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
