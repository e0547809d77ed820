package dev.percpu.internal.failure;

import java.lang.System.Logger.Level;
import org.jspecify.annotations.Nullable;

/**
 * The log of this library. A logger is the user's code: it can use the library, wait, and throw. So a thread that must
 * go on has the {@link Reporter} call it.
 */
public final class Log {
    private static final String NAME = "dev.percpu";

    private Log() {}

    /** Says something that a user need not act on. */
    public static void info(String message, Object... parameters) {
        System.getLogger(NAME).log(Level.INFO, message, texts(parameters));
    }

    /** Says that something is wrong. */
    public static void warn(String message, Object... parameters) {
        System.getLogger(NAME).log(Level.WARNING, message, texts(parameters));
    }

    /** Says that something is wrong, and by which failure, or where. */
    public static void warn(String message, @Nullable Throwable thrown) {
        System.getLogger(NAME).log(Level.WARNING, message, thrown);
    }

    /** A logger would format a number for its locale: CPU 1024 as CPU 1,024. */
    private static Object[] texts(Object... parameters) {
        Object[] texts = new Object[parameters.length];
        for (int i = 0; i < texts.length; i++) {
            texts[i] = String.valueOf(parameters[i]);
        }
        return texts;
    }
}
