package dev.percpu.internal.extern;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.internal.area.Area;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A library that cannot be placed has nothing of the area, however often that is tried. */
@Tag("native")
class RefusedLibraryTest {
    /** So few attempts would fill the area. */
    private static final int SHARE_OF_AREA = 8;

    @Test
    void thePieceIsGivenBackIfTheLibraryCannotBeAsked() {
        MemorySegment library = library();
        for (int i = 0; i < 2 * SHARE_OF_AREA; i++) {
            // A symbol at no address, as the linker calls the library's function.
            assertThatThrownBy(() -> NativeLibrary.at(library)).hasMessageContaining("Symbol is NULL");
        }
    }

    /** A struct percpu_library with a large section, and with no function. */
    private static MemorySegment library() {
        Arena arena = Arena.global();
        MemorySegment library = arena.allocate(128, 8);
        long start = 1 << 12;
        library.set(JAVA_LONG, 0, start);
        library.set(JAVA_LONG, 8, start + Area.STRIDE / SHARE_OF_AREA);
        library.set(JAVA_LONG, 16, arena.allocateFrom("a library").address());
        return library;
    }
}
