package dev.percpu.internal.extern;

import dev.percpu.internal.area.Area;
import java.lang.reflect.Field;
import java.lang.reflect.Method;

/** The pieces that libraries of C code have, which stay mapped at the end of the area. */
final class LentPieces {
    private LentPieces() {}

    static int count() throws ReflectiveOperationException {
        Field field = Area.class.getDeclaredField("END");
        field.setAccessible(true);
        Object end = field.get(null);
        Method pieces = end.getClass().getDeclaredMethod("pieces");
        pieces.setAccessible(true);
        return (int) pieces.invoke(end);
    }
}
