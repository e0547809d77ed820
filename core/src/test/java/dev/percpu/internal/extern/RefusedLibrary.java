package dev.percpu.internal.extern;

import static java.lang.foreign.ValueLayout.ADDRESS;
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
    static final long START = 1 << 12;

    private final MemorySegment address;

    /** One whose function gives this answer. */
    RefusedLibrary(int answer) {
        this();
        FunctionDescriptor type = NativeLibrary.shareType();
        MethodHandle function = MethodHandles.dropArguments(
                MethodHandles.constant(int.class, answer),
                0,
                type.toMethodType().parameterList());
        address.set(ADDRESS, 24, Linker.nativeLinker().upcallStub(function, type, Arena.global()));
    }

    /** One without a function. */
    public RefusedLibrary() {
        address = structure(Area.STRIDE / SHARE_OF_AREA);
    }

    /** A {@code struct percpu_library} without a function, whose section begins at {@link #START}. */
    static MemorySegment structure(long bytesOfSection) {
        Arena arena = Arena.global();
        MemorySegment structure = arena.allocate(BYTES, Long.BYTES);
        structure.set(JAVA_LONG, 0, START);
        structure.set(JAVA_LONG, 8, START + bytesOfSection);
        structure.set(ADDRESS, 16, arena.allocateFrom("a library"));
        return structure;
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
