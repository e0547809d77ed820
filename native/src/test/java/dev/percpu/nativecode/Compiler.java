package dev.percpu.nativecode;

import dev.percpu.internal.linux.Architecture;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.Processes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * Compiles what is in {@code src/test/c}, with every warning an error, and runs it.
 *
 * @param command the compiler
 * @param options what is always told to it
 */
record Compiler(String command, List<String> options) {
    /** Each result is in a directory of its own here: tests run at the same time. */
    static final Path OUTPUT = Path.of("target", "native");

    private static final AtomicInteger NUMBER = new AtomicInteger();

    /** What was compiled already, by the command without the name of the result. */
    private static final Map<List<String>, Path> COMPILED = new ConcurrentHashMap<>();

    /** Where the build has put the header together. */
    static final Path HEADER = Path.of("target", "include");

    private static final Path SOURCES = Path.of("src", "test", "c");
    private static final Duration MOST = Duration.ofMinutes(4);

    private static final List<String> ALWAYS =
            List.of("-Wall", "-Wextra", "-Werror", "-pedantic", "-pthread", "-I" + HEADER, "-I" + SOURCES);

    static final Compiler GCC = c11("gcc");
    static final Compiler CLANG = c11("clang");
    static final Compiler GXX = cxx17("g++");
    static final Compiler CLANGXX = cxx17("clang++");

    static Compiler c11(String command) {
        return new Compiler(command, List.of("-std=c11"));
    }

    static Compiler cxx17(String command) {
        return new Compiler(command, List.of("-std=c++17", "-x", "c++"));
    }

    /**
     * The one that compiles for a given architecture; each but this machine's own has a name with the architecture
     * in it.
     */
    static Compiler gccFor(Architecture architecture) {
        return architecture == Architecture.current()
                ? GCC
                : c11(architecture.name().toLowerCase(Locale.ROOT) + "-linux-gnu-gcc");
    }

    /** Clang compiles for any architecture. It looks for the C library of this machine's own. */
    static Compiler clangFor(Architecture architecture) {
        String system = architecture.name().toLowerCase(Locale.ROOT) + "-linux-gnu";
        return architecture == Architecture.current()
                ? CLANG
                : new Compiler(
                        "clang", List.of("-std=c11", "--target=" + system, "-isystem", "/usr/" + system + "/include"));
    }

    /** Compiles a program; its sources need GNU's declarations if {@code options} says so. */
    Path program(String name, String source, String... options) {
        return compile(name, source, List.of(), options);
    }

    /** Compiles a file of a program of several. */
    Path object(String name, String source, String... options) {
        return compile(name + ".o", source, List.of("-c"), options);
    }

    /** Compiles what is more in a program than these objects. */
    Path program(String name, String source, List<Path> objects, String... options) {
        Stream<String> linked = objects.stream().map(object -> "-Wl," + object);
        return program(name, source, Stream.concat(Stream.of(options), linked).toArray(String[]::new));
    }

    Path library(String name, String source, String... options) {
        return compile(name + ".so", source, List.of("-shared", "-fPIC", "-D_GNU_SOURCE", "-O2"), options);
    }

    private Path compile(String name, String source, List<String> kind, String... more) {
        List<String> line = new ArrayList<>(List.of(command));
        line.addAll(ALWAYS);
        line.addAll(options);
        line.addAll(kind);
        line.addAll(List.of(more));
        line.add(SOURCES.resolve(source).toString());
        return COMPILED.computeIfAbsent(List.copyOf(line), key -> {
            Path result = newDirectory().resolve(name).toAbsolutePath();
            line.addAll(List.of("-o", result.toString()));
            run(line, Map.of());
            return result;
        });
    }

    private static Path newDirectory() {
        try {
            return Files.createDirectories(OUTPUT.resolve(Integer.toString(NUMBER.incrementAndGet())));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs a program and returns what it printed; fails if it does. */
    static String run(Path program, Map<String, String> environment, Object... arguments) {
        List<String> line = new ArrayList<>(List.of(program.toString()));
        for (Object argument : arguments) {
            line.add(argument.toString());
        }
        return run(line, environment);
    }

    static String run(List<String> line, Map<String, String> environment) {
        ProcessBuilder builder = new ProcessBuilder(line);
        builder.environment().putAll(environment);
        Jvm.Result result = Processes.run(builder, MOST);
        if (result.status() != 0) {
            throw new AssertionError("status " + result.status() + ": " + line + "\n" + result.output());
        }
        return result.output();
    }
}
