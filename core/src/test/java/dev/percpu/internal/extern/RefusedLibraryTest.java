package dev.percpu.internal.extern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.backend.Interposed;
import dev.percpu.internal.guard.UnwatchedOwners;
import dev.percpu.internal.protocol.StackRoom;
import dev.percpu.testing.Jvm;
import java.lang.reflect.Field;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A library that cannot be placed has nothing of the area, however often that is tried. */
@Tag("native")
class RefusedLibraryTest {
    @BeforeAll
    static void nobodyLooksForDeadOwners() throws ReflectiveOperationException {
        UnwatchedOwners.ensure();
    }

    @Test
    void thePieceIsGivenBackIfTheLibraryCannotBeAsked() throws ReflectiveOperationException {
        RefusedLibrary library = new RefusedLibrary();
        int lent = LentPieces.count();
        for (int i = 0; i < 2 * RefusedLibrary.SHARE_OF_AREA; i++) {
            assertThatThrownBy(library::place).hasMessageContaining("Symbol is NULL");
        }
        assertThat(LentPieces.count()).isEqualTo(lent);
    }

    /** What {@code enum percpu_answer} has, and what it may have in a later version. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            1 | are in another per-CPU area already: dev.percpu is loaded twice in this process, and only one of the two
            2 | cannot be placed: C code on this very thread holds a guard of theirs
            3 | the library found other CPUs possible. Declare them before C code uses them
            4 | cannot be moved to the area: C code uses them already, and the kernel refuses membarrier
            5 | are in the per-CPU area of another copy of dev.percpu, which has not been unloaded
            6 | a thread of C code has not come to the end of an operation on them
            7 | cannot be placed, for a reason that this version does not know: 7
            """)
    void aRefusalHasItsReasonAndThePieceIsGivenBack(int answer, String reason) throws ReflectiveOperationException {
        int lent = LentPieces.count();
        assertThatThrownBy(new RefusedLibrary(answer)::place)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("the per-CPU variables of a library ")
                .hasMessageContaining(reason);
        assertThat(LentPieces.count()).isEqualTo(lent);
    }

    /** With the stack at its end, the piece could not be given back. */
    @Test
    void withoutRoomOnTheStackNoPieceIsTaken() {
        assertThat(Jvm.asHere().run(WithoutRoom.class).output().strip()).isEqualTo("no room, 0 bytes taken");
    }

    /** Runs in a JVM of its own, in which all use the same {@link StackRoom}. */
    static final class WithoutRoom {
        private WithoutRoom() {}

        public static void main(String[] arguments) {
            long before = Area.usedBytesPerCpu();
            Interposed.replace(StackRoom.class, _ -> () -> {
                throw new StackOverflowError("no room, " + (Area.usedBytesPerCpu() - before) + " bytes taken");
            });
            try {
                new RefusedLibrary().place();
            } catch (StackOverflowError refused) {
                System.out.println(refused.getMessage());
            }
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
