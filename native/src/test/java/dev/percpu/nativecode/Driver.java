package dev.percpu.nativecode;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** {@code library.c}, compiled and loaded: each under a name of its own, so that each test has variables of its own. */
final class Driver {
    private static final Linker LINKER = Linker.nativeLinker();

    /** What is loaded must not be written to. */
    private static final Set<Path> LOADED = ConcurrentHashMap.newKeySet();

    private final SymbolLookup lookup;

    Driver(SymbolLookup lookup) {
        this.lookup = lookup;
    }

    static Driver load(Compiler compiler, String name, Arena arena, String... options) {
        Path original = compiler.library("library", "library.c", options);
        Path copy = Compiler.OUTPUT.resolve(name + ".so").toAbsolutePath();
        if (LOADED.add(copy)) {
            try {
                // A file of its own, or the dynamic linker takes the two for one library.
                Files.copy(original, copy, StandardCopyOption.REPLACE_EXISTING);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return new Driver(SymbolLookup.libraryLookup(copy, arena));
    }

    /** For as long as the process lives. */
    static Driver load(String name, String... options) {
        return load(Compiler.GCC, name, Arena.global(), options);
    }

    SymbolLookup lookup() {
        return lookup;
    }

    /** Threads of C code that add 1 to each number and count each pair up, so often; returns when they are done. */
    void runThreads(int threads, long numbers, long pairs, String name) {
        try (Arena arena = Arena.ofConfined()) {
            MethodHandle run =
                    function("run_threads", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, ADDRESS));
            int _ = (int) run.invokeExact(threads, numbers, pairs, arena.allocateFrom(name));
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    long sumOfLongs() {
        return callLong("sum_of_longs");
    }

    long getLong() {
        return callLong("get_long");
    }

    boolean isShared() {
        return callInt("is_shared") != 0;
    }

    boolean isClosing() {
        return callInt("is_closing") != 0;
    }

    boolean tryGuardOfThisCpu() {
        return callInt("try_guard_of_this_cpu") != 0;
    }

    /** Until {@code endUpdate}, as if a thread of C code were in the middle of an update. */
    void beginUpdate() {
        int _ = callInt("begin_update");
    }

    void endUpdate() {
        int _ = callInt("end_update");
    }

    long disagreements(long looks) {
        try {
            return (long) function("disagreements", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG))
                    .invokeExact(looks);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    /** Lets a thread of C code end with the CPU's guard in its hands. */
    void dieWithGuardOf(int cpu) {
        try {
            int _ = (int) function("die_with_guard_of", FunctionDescriptor.of(JAVA_INT, JAVA_INT))
                    .invokeExact(cpu);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    /** Runs a task, called from C code that holds the CPU's guard. */
    void withGuardOf(int cpu, Runnable task) {
        try (Arena arena = Arena.ofConfined()) {
            MethodHandle run = MethodHandles.lookup()
                    .findVirtual(Runnable.class, "run", MethodType.methodType(void.class))
                    .bindTo(task);
            MemorySegment callback = LINKER.upcallStub(run, FunctionDescriptor.ofVoid(), arena);
            int _ = (int) function("with_guard_of", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS))
                    .invokeExact(cpu, callback);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    /** Has a thread of C code call a task, and live on without any Java code while another task runs here. */
    void withVisit(Runnable task, Runnable meanwhile) {
        try (Arena arena = Arena.ofShared()) {
            MethodHandle run = MethodHandles.lookup()
                    .findVirtual(Runnable.class, "run", MethodType.methodType(void.class))
                    .bindTo(task);
            MemorySegment callback = LINKER.upcallStub(run, FunctionDescriptor.ofVoid(), arena);
            int _ = (int) function("start_visit", FunctionDescriptor.of(JAVA_INT, ADDRESS))
                    .invokeExact(callback);
            try {
                meanwhile.run();
            } finally {
                int _ = callInt("end_visit");
            }
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    long addressOfMixed(int cpu) {
        try {
            return ((MemorySegment) function("address_of_mixed", FunctionDescriptor.of(ADDRESS, JAVA_INT))
                            .invokeExact(cpu))
                    .address();
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    private long callLong(String name) {
        try {
            return (long) function(name, FunctionDescriptor.of(JAVA_LONG)).invokeExact();
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    private int callInt(String name) {
        try {
            return (int) function(name, FunctionDescriptor.of(JAVA_INT)).invokeExact();
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    private MethodHandle function(String name, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(lookup.findOrThrow(name), descriptor);
    }
}
