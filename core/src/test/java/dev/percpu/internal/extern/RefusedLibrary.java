package dev.percpu.internal.extern;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.percpu.internal.area.Area;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A {@code struct percpu_library} with a large section, and with no function, so that it cannot be placed. */
public final class RefusedLibrary {
    /** So few pieces of this size fill the area. */
    static final int SHARE_OF_AREA = 8;

    private static final long BYTES = 128;
    private static final long START = 1 << 12;

    private final MemorySegment address;

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
     * @throws IllegalArgumentException as the linker does, once it comes to calling the function at no address
     */
    public void place() {
        NativeLibrary _ = NativeLibrary.at(address);
    }
}
