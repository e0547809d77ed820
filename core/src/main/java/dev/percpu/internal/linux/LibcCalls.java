package dev.percpu.internal.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Calls of functions of the C library, for {@link Linux}. */
final class LibcCalls {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup LIBC = LINKER.defaultLookup();

    private static final FunctionDescriptor SIX_NUMBERS =
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    /**
     * Calls any function that takes up to six integers or addresses. Each architecture passes those in the same
     * registers, however many the function takes, and whether or not it is variadic. So one handle serves all: linking
     * another shape would take milliseconds.
     */
    static final MethodHandle CALL = LINKER.downcallHandle(SIX_NUMBERS);

    /** What {@link #callWithErrno} captures. On Linux that is {@code errno} alone. To ask for it takes milliseconds. */
    private static final ValueLayout.OfInt CALL_STATE = JAVA_INT;

    private static final int FAILED = -1;

    /**
     * {@link #CALL} with {@code errno}. Nearly no program needs it, and to link it takes milliseconds. It is not a
     * constant of a class of its own: if linking failed once for want of memory, that class would be unusable for good.
     */
    private static volatile @Nullable MethodHandle callWithErrno;

    private LibcCalls() {}

    /**
     * Calls a function that returns -1 if it fails, and is then called once more, to hear why.
     *
     * @return its result; or, as the kernel itself does it, the negated {@code errno}
     */
    static long call(MemorySegment function, long first, long second, long third, long fourth, long fifth, long sixth) {
        try {
            long result = (long) CALL.invokeExact(function, first, second, third, fourth, fifth, sixth);
            // The upper half of the register says nothing if the function returns an int.
            if ((int) result != FAILED) {
                return result;
            }
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment state = arena.allocate(CALL_STATE);
                result =
                        (long) callWithErrno().invokeExact(function, state, first, second, third, fourth, fifth, sixth);
                return (int) result != FAILED ? result : -state.get(CALL_STATE, 0);
            }
        } catch (Throwable t) {
            throw rethrow(t);
        }
    }

    /** Calls a function that returns -1 if it fails, and does not ask why. */
    static boolean tryCall(
            MemorySegment function, long first, long second, long third, long fourth, long fifth, long sixth) {
        try {
            long result = (long) CALL.invokeExact(function, first, second, third, fourth, fifth, sixth);
            return (int) result != FAILED;
        } catch (Throwable t) {
            throw rethrow(t);
        }
    }

    private static MethodHandle callWithErrno() {
        MethodHandle linked = callWithErrno;
        if (linked == null) {
            linked = LINKER.downcallHandle(SIX_NUMBERS, Linker.Option.captureCallState("errno"));
            callWithErrno = linked;
        }
        return linked;
    }

    /** A handle for the critical function at an address. */
    static MethodHandle bind(MemorySegment address, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(address, descriptor, Linker.Option.critical(false));
    }

    /** The address of a symbol that the C library exports. */
    static Optional<MemorySegment> exported(String name) {
        return LIBC.find(name);
    }

    static MemorySegment symbol(String name) {
        Optional<MemorySegment> symbol = exported(name);
        if (symbol.isEmpty()) {
            throw new UnsupportedOperationException("the C library exports no " + name);
        }
        return symbol.get();
    }

    /** The handles above declare no checked exception, so whatever they throw is unchecked. */
    static RuntimeException rethrow(Throwable t) {
        // No switch over types: its first use would be linked just when something has failed.
        if (t instanceof RuntimeException e) {
            throw e;
        }
        if (t instanceof Error e) {
            throw e;
        }
        throw new AssertionError("a native call threw a checked exception", t);
    }
}
