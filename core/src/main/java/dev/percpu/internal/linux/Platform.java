package dev.percpu.internal.linux;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Decides once whether this JVM runs on a Linux whose system calls this library may make. Also reads the system
 * properties that are true or false.
 */
public final class Platform {
    /** Why there are no system calls here; null if there are. */
    private static final @Nullable String NO_SYSTEM_CALLS = probe();

    private Platform() {}

    public static boolean hasSystemCalls() {
        return NO_SYSTEM_CALLS == null;
    }

    /** The reason why {@link #hasSystemCalls} is false; empty if it is true. */
    public static String whyNoSystemCalls() {
        return NO_SYSTEM_CALLS == null ? "" : NO_SYSTEM_CALLS;
    }

    /**
     * The value of a system property that is true or false; false if it is not set.
     *
     * @throws IllegalArgumentException if it is neither
     */
    public static boolean flag(String property) {
        String text = System.getProperty(property, "false");
        return switch (text.strip().toLowerCase(Locale.ROOT)) {
            case "true" -> true;
            case "false" -> false;
            default ->
                throw new IllegalArgumentException(
                        property + " must be true or false, not '" + text + "'; without it, it is false");
        };
    }

    private static @Nullable String probe() {
        String os = System.getProperty("os.name");
        if (!os.toLowerCase(Locale.ROOT).contains("linux")) {
            return "the operating system is " + os + ", not Linux";
        }
        try {
            Linux.probe();
            return null;
        } catch (ExceptionInInitializerError e) {
            return describe(e.getCause() == null ? e : e.getCause());
        } catch (IllegalCallerException | UnsatisfiedLinkError | UnsupportedOperationException | LinuxException e) {
            return describe(e);
        }
    }

    private static String describe(Throwable cause) {
        if (cause instanceof IllegalCallerException) {
            return "native access is denied to the module dev.percpu (allow it with"
                    + " --enable-native-access=dev.percpu, or ALL-UNNAMED on the class path)";
        }
        return "the C library cannot be called: " + cause;
    }
}
