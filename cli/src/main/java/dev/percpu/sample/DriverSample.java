package dev.percpu.sample;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.percpu.CpuGuard;
import dev.percpu.ExternPerCpu;
import dev.percpu.PerCpuNumeric;
import dev.percpu.cli.output.Console;
import dev.percpu.cli.output.Messages;
import dev.percpu.cpu.CpuMask;
import dev.percpu.memory.NumericWidth;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * Java and a driver in C that update the same per-CPU variables. The driver's threads count the packets that they
 * receive, and this program reads the counters meanwhile, and adds packets of its own. In the end every total must be
 * what both sides did together.
 *
 * <p>The driver is {@code native/src/sample/c/driver.c}; {@code ./percpu driver} compiles and runs both.
 */
public final class DriverSample {
    private static final int THREADS = 4;

    /** Of each thread of the driver. */
    private static final long RECEIVED = 1_000_000;

    /** By this program. */
    private static final long INJECTED = 1_000_000;

    private static final long INJECTED_SIZE = 9000;

    private static final MemoryLayout LARGEST =
            MemoryLayout.structLayout(JAVA_LONG.withName("bytes"), JAVA_LONG.withName("number"));

    private static final long BYTES = LARGEST.byteOffset(MemoryLayout.PathElement.groupElement("bytes"));
    private static final long NUMBER = LARGEST.byteOffset(MemoryLayout.PathElement.groupElement("number"));

    /** Numbers that the driver gives no packet. */
    private static final long OURS = -2;

    private final SymbolLookup driver;
    private final Consumer<String> narrator;

    /** Updated by the driver's {@code this_cpu_add} and by this program's {@code add}. */
    private final PerCpuNumeric packets;

    private final PerCpuNumeric bytes;
    private final PerCpuNumeric errors;

    /** Updated by the driver between {@code get_cpu_ptr} and {@code put_cpu_ptr}, and here through tokens. */
    private final ExternPerCpu<MemorySegment> largest;

    private DriverSample(SymbolLookup driver, Consumer<String> narrator) {
        this.driver = driver;
        this.narrator = narrator;
        packets = PerCpuNumeric.declare(driver, "packets", NumericWidth.LONG);
        bytes = PerCpuNumeric.declare(driver, "packet_bytes", NumericWidth.LONG);
        errors = PerCpuNumeric.declare(driver, "errors", NumericWidth.INT);
        largest = ExternPerCpu.declare(driver, "largest_packet", LARGEST);
    }

    /** Runs the sample with the library that is named, and prints what it does. The status is 1 if that fails. */
    public static void main(String[] args) {
        if (args.length != 1) {
            throw new IllegalArgumentException("the one argument is the driver's library");
        }
        try {
            run(Path.of(args[0]), System.out::println);
        } catch (Throwable t) {
            Console.ofProcess().say(Messages.of(t));
            System.exit(1);
        }
    }

    /**
     * Runs the sample. It can run once in a process, as the driver's counters go on counting.
     *
     * @param library the compiled driver
     * @param narrator receives a line about each step that went well
     * @throws IllegalStateException if a total is wrong
     */
    public static void run(Path library, Consumer<String> narrator) {
        new DriverSample(SymbolLookup.libraryLookup(library, Arena.global()), narrator).run();
    }

    private void run() {
        call("driver_start", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG), THREADS, RECEIVED);
        narrator.accept(
                "driver: " + THREADS + " threads of C code receive " + RECEIVED + " packets each and count them");

        for (long i = 0; i < INJECTED; i++) {
            packets.increment();
            bytes.add(INJECTED_SIZE);
            try (CpuGuard guard = CpuGuard.acquire()) {
                largest.getMut(guard).run(DriverSample::enterOurs);
            }
        }
        narrator.accept("java: injected " + INJECTED + " packets of " + INJECTED_SIZE + " bytes, and counted them too");

        long expectedBytes;
        long expectedErrors;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment totals = arena.allocate(2 * JAVA_LONG.byteSize(), JAVA_LONG.byteAlignment());
            call("driver_stop", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS), THREADS, totals);
            expectedBytes = totals.getAtIndex(JAVA_LONG, 0) + INJECTED * INJECTED_SIZE;
            expectedErrors = totals.getAtIndex(JAVA_LONG, 1);
        }
        expect("packets", packets.sum(), THREADS * RECEIVED + INJECTED);
        expect("bytes", bytes.sum(), expectedBytes);
        expect("errors", errors.sum(), expectedErrors);
        narrator.accept("together: " + packets.sum() + " packets, " + bytes.sum() + " bytes, " + errors.sum()
                + " errors; nothing lost");

        largest.forEachCpu((cpu, memory) -> {
            long size = memory.get(JAVA_LONG, BYTES);
            long number = memory.get(JAVA_LONG, NUMBER);
            if (size >= 0) {
                expect(
                        "the size of the largest packet on " + cpu,
                        size,
                        number == OURS ? INJECTED_SIZE : sizeOf(number));
            }
        });
        narrator.accept("guarded: on each of " + CpuMask.possible().weight()
                + " CPUs the largest packet's size and number belong together");
    }

    /** The driver's rule: the larger one stays. */
    private static void enterOurs(MemorySegment memory) {
        if (memory.get(JAVA_LONG, BYTES) < INJECTED_SIZE) {
            memory.set(JAVA_LONG, BYTES, INJECTED_SIZE);
            memory.set(JAVA_LONG, NUMBER, OURS);
        }
    }

    private long sizeOf(long number) {
        return (long) call("driver_size_of", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG), number);
    }

    private Object call(String function, FunctionDescriptor descriptor, Object... arguments) {
        MethodHandle handle = Linker.nativeLinker().downcallHandle(driver.findOrThrow(function), descriptor);
        Object result;
        try {
            result = handle.invokeWithArguments(arguments);
        } catch (Throwable t) {
            throw new IllegalStateException(function + " cannot be called", t);
        }
        if (result.equals(-1)) {
            throw new IllegalStateException(function + " failed");
        }
        return result;
    }

    private static void expect(String what, long found, long expected) {
        if (found != expected) {
            throw new IllegalStateException(what + ": " + found + ", not " + expected);
        }
    }
}
