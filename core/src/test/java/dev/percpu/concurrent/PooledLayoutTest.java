package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Where the JVM puts the fields: what two CPUs write lies two cache lines apart, also if one object follows the other.
 */
class PooledLayoutTest {
    private static final long TWO_LINES = 128;

    /** Before them lies what another CPU may write: an object that was lent, or another keeper. */
    @ParameterizedTest
    @ValueSource(classes = {PooledFields.class, PooledObjects.class, CpuStacks.class, Keeper.class})
    void theFieldsLieFarBehindWhateverPrecedesTheObject(Class<?> fields) {
        assertThat(offsets(fields).min(Long::compare).orElseThrow()).isGreaterThanOrEqualTo(TWO_LINES);
    }

    private static Stream<Long> offsets(Class<?> type) {
        return Arrays.stream(type.getDeclaredFields())
                .filter(field -> !Modifier.isStatic(field.getModifiers()))
                .map(PooledLayoutTest::offset);
    }

    /** By reflection, as the class is to be removed some day and the compiler says so. */
    private static long offset(Field field) {
        try {
            Class<?> unsafe = Class.forName("sun.misc.Unsafe");
            Field instance = unsafe.getDeclaredField("theUnsafe");
            instance.setAccessible(true);
            Method offset = unsafe.getMethod("objectFieldOffset", Field.class);
            return (long) offset.invoke(instance.get(null), field);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("no field offsets", e);
        }
    }
}
