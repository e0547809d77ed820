package dev.percpu.internal.extern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.testing.Jvm;
import java.lang.reflect.Field;
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

    /** If its initializer did, and the heap were full then, no library could be declared any more. */
    @Test
    void theClassAloneDoesNotLinkTheCallOfALibrary() {
        assertThat(Jvm.asHere().run(Initialized.class).output().strip()).isEqualTo("null");
    }

    /** Runs in a JVM of its own, in which no library has been placed. */
    static final class Initialized {
        private Initialized() {}

        public static void main(String[] arguments) throws ReflectiveOperationException {
            Field call = NativeLibrary.class.getDeclaredField("callShare");
            call.setAccessible(true);
            System.out.println(call.get(null));
        }
    }
}
