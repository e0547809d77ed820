package dev.percpu.cli.output;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Turns what went wrong into one line for people. */
public final class Messages {
    private Messages() {}

    /** A line about anything that was thrown. */
    public static String of(Throwable thrown) {
        return switch (thrown) {
            case CliException e -> printable(String.valueOf(e.getMessage()));
            // What the class that chooses the back end throws if the one that was asked for cannot run here.
            case ExceptionInInitializerError e
            when e.getCause() instanceof IllegalStateException || e.getCause() instanceof IllegalArgumentException ->
                printable(String.valueOf(e.getCause().getMessage()));
            default -> unexpected(thrown);
        };
    }

    private static String unexpected(Throwable thrown) {
        return "unexpected error: " + printable(thrown.toString());
    }

    /** Why a file could not be read, as a clause. */
    public static String reason(IOException e) {
        return switch (e) {
            case NoSuchFileException _ -> "it does not exist";
            case AccessDeniedException _ -> "permission denied";
            case FileSystemException fs when fs.getReason() != null -> printable(fs.getReason());
            default -> printable(String.valueOf(e.getMessage()));
        };
    }

    /** A path as text that does nothing to a terminal and stays on its line. */
    public static String printable(Path path) {
        return printable(path.toString());
    }

    /** Text that does nothing to a terminal, stays on its line, and runs from left to right as the rest of it does. */
    public static String printable(String text) {
        StringBuilder printable = new StringBuilder(text.length());
        text.codePoints().map(c -> isPrintable(c) ? c : '?').forEach(printable::appendCodePoint);
        return printable.toString();
    }

    private static boolean isPrintable(int character) {
        return switch (Character.getType(character)) {
            case Character.CONTROL, Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }
}
