package dev.percpu.internal.extern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.backend.Interposed;
import dev.percpu.internal.protocol.StackRoom;
import dev.percpu.testing.Jvm;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A library that cannot be placed has nothing of the area, however often that is tried. */
@Tag("native")
class RefusedLibraryTest {
    @Test
    void thePieceIsGivenBackIfTheLibraryCannotBeAsked() throws ReflectiveOperationException {
        RefusedLibrary library = new RefusedLibrary();
        int lent = lent();
        for (int i = 0; i < 2 * RefusedLibrary.SHARE_OF_AREA; i++) {
            assertThatThrownBy(library::place).hasMessageContaining("Symbol is NULL");
        }
        assertThat(lent()).isEqualTo(lent);
    }

    /** How many pieces stay mapped at the end of the area, when their libraries are told. */
    private static int lent() throws ReflectiveOperationException {
        Field field = Area.class.getDeclaredField("END");
        field.setAccessible(true);
        Object end = field.get(null);
        Method pieces = end.getClass().getDeclaredMethod("pieces");
        pieces.setAccessible(true);
        return (int) pieces.invoke(end);
    }

    /** With the stack at its end, the piece could not be given back. */
    @Test
    void withoutRoomOnTheStackNoPieceIsTaken() {
        assertThat(Jvm.asHere().run(WithoutRoom.class).output().strip()).isEqualTo("no room");
    }

    /** Runs in a JVM of its own, in which all use the same {@link StackRoom}. */
    static final class WithoutRoom {
        private WithoutRoom() {}

        public static void main(String[] arguments) {
            Interposed.replace(StackRoom.class, _ -> () -> {
                throw new StackOverflowError("no room");
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
