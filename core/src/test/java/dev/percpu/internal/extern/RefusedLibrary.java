package dev.percpu.internal.extern;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.percpu.internal.area.Area;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;

/** A {@code struct percpu_library} with a large section, which cannot be placed. */
public final class RefusedLibrary {
    /** So few pieces of this size fill the area. */
    static final int SHARE_OF_AREA = 8;

    private static final long BYTES = 128;
    private static final long START = 1 << 12;

    private final MemorySegment address;

    /** One whose function gives this answer. */
    RefusedLibrary(int answer) {
        this();
        FunctionDescriptor type =
                FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
        MethodHandle function = MethodHandles.dropArguments(
                MethodHandles.constant(int.class, answer),
                0,
                type.toMethodType().parameterList());
        address.set(ADDRESS, 24, Linker.nativeLinker().upcallStub(function, type, Arena.global()));
    }

    /** One without a function. */
    public RefusedLibrary() {
        Arena arena = Arena.global();
        address = arena.allocate(BYTES, Long.BYTES);
        address.set(JAVA_LONG, 0, START);
        address.set(JAVA_LONG, 8, START + Area.STRIDE / SHARE_OF_AREA);
        address.set(JAVA_LONG, 16, arena.allocateFrom("a library").address());
    }

    /**
     * Tries to place it.
     *
     * @throws IllegalStateException with the reason that the function's answer means
     * @throws IllegalArgumentException as the linker does, once it comes to calling the function at no address
     */
    public void place() {
        NativeLibrary _ = NativeLibrary.at(address);
    }
}
