package dev.percpu.cli.output;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files of text as a whole. If one cannot be read or written, a {@link CliException} says so in a line. */
public final class TextFiles {
    private TextFiles() {}

    /** What is in a file. */
    public static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    /** Replaces what is in a file. */
    public static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new CliException(Messages.printable(file) + " cannot be written: " + Messages.reason(e), e);
        }
    }

    /** What to throw if a file or a directory cannot be read. */
    public static CliException unreadable(Path path, IOException e) {
        return new CliException(Messages.printable(path) + " cannot be read: " + Messages.reason(e), e);
    }
}
