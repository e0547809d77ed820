package dev.percpu.testing;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Another {@code /sys} or {@code /proc/self/status} than the system's, for a process of its own. That takes a mount
 * namespace, which root may make, and on most systems everyone. Where a container's rules forbid it the test is
 * reported as skipped, with this reason; the virtual machines always run it.
 */
public final class Sysfs {
    private Sysfs() {}

    /** A JVM without any. */
    public static Jvm hidden() {
        return mounted("-t tmpfs none /sys");
    }

    /** A JVM to which a file below {@code /sys} says something else. */
    public static Jvm telling(String file, String text) {
        return bound("/sys/" + file, text);
    }

    /** A JVM whose {@code /proc/self/status} says something else. It gets the id of the shell that it replaces. */
    public static Jvm tellingOfItself(String text) {
        return bound("/proc/$$/status", text);
    }

    private static Jvm bound(String file, String text) {
        try {
            Path told = Files.createTempFile("sysfs", "");
            told.toFile().deleteOnExit();
            Files.writeString(told, text + "\n");
            return mounted("-o bind " + told + " " + file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Jvm mounted(String what) {
        List<String> command = new ArrayList<>(namespace());
        command.addAll(List.of("sh", "-c", "mount " + what + " && exec \"$@\"", "sh"));
        return new Jvm().startedBy(command.toArray(String[]::new));
    }

    /** What runs a command in a mount namespace: as root, or as the root of a user namespace. */
    private static List<String> namespace() {
        for (List<String> unshare : List.of(List.of("unshare", "-m"), List.of("unshare", "-U", "-r", "-m"))) {
            List<String> command = new ArrayList<>(unshare);
            command.add("true");
            try {
                if (new ProcessBuilder(command).start().waitFor() == 0) {
                    return unshare;
                }
            } catch (IOException e) {
                throw new UncheckedIOException("util-linux or busybox is needed", e);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
        return abort("no mount namespace may be made here, neither as root nor in a user namespace");
    }
}
