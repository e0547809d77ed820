package dev.percpu.internal.extern;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A library that cannot be placed has nothing of the area, however often that is tried. */
@Tag("native")
class RefusedLibraryTest {
    @Test
    void thePieceIsGivenBackIfTheLibraryCannotBeAsked() {
        RefusedLibrary library = new RefusedLibrary();
        for (int i = 0; i < 2 * RefusedLibrary.SHARE_OF_AREA; i++) {
            assertThatThrownBy(library::place).hasMessageContaining("Symbol is NULL");
        }
    }
}
