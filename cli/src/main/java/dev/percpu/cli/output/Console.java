package dev.percpu.cli.output;

import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;

/**
 * Where a command writes. Both are UTF-8, whatever the locale, as JSON requires it.
 *
 * @param out for results
 * @param err for progress and for errors
 * @param outIsTerminal whether people watch {@code out} as it is written, on a terminal that obeys escape sequences
 * @param errIsTerminal whether people watch {@code err} as it is written
 */
public record Console(PrintWriter out, PrintWriter err, boolean outIsTerminal, boolean errIsTerminal) {
    /** The process's own. */
    public static Console ofProcess() {
        return new Console(writer(System.out), writer(System.err), isTerminal(1) && !isDumb(), isTerminal(2));
    }

    /** Tells the user something, on a line of {@link #err}. */
    public void say(String message) {
        err.println("percpu: " + message);
        err.flush();
    }

    private static PrintWriter writer(PrintStream stream) {
        return new PrintWriter(stream, false, StandardCharsets.UTF_8);
    }

    private static boolean isDumb() {
        return "dumb".equals(System.getenv("TERM"));
    }

    /**
     * Whether a file descriptor is a terminal. Java can ask that of standard input and output only, and only of both
     * together. Where there is no such link, nothing is taken for a terminal.
     */
    private static boolean isTerminal(int descriptor) {
        try {
            Path target = Files.readSymbolicLink(Paths.get("/proc/self/fd/" + descriptor));
            return target.startsWith("/dev/pts") || target.toString().startsWith("/dev/tty");
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }
}
