package dev.percpu.cli.demo;

import dev.percpu.cli.output.Messages;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What counting files comes to.
 *
 * @param files how many there are
 * @param bytes how long they are together
 * @param lines how many line feeds are in them
 * @param pieces how many pieces the line feeds cut them into: lines, and what follows the last line feed of a file if
 *     that is not empty
 * @param longest the longest of those pieces
 * @param byteFrequency how often each of the 256 byte values is in them
 */
public record Totals(long files, long bytes, long lines, long pieces, Longest longest, List<Long> byteFrequency) {
    /** How many values a byte has. */
    static final int BYTE_VALUES = 256;

    /**
     * The longest piece.
     *
     * @param bytes its length, without a line feed; 0 if there is none
     * @param file where it is: of several as long, the file that comes first by its path; null if there is none
     */
    public record Longest(long bytes, @Nullable Path file) {
        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT, "%,d bytes%s", bytes, file == null ? "" : " in " + Messages.printable(file));
        }
    }

    /** Names each total that is not what it should be; empty if all are. */
    public List<String> differencesFrom(Totals expected) {
        Differences differences = new Differences();
        differences.compare("files", files, expected.files);
        differences.compare("bytes", bytes, expected.bytes);
        differences.compare("lines", lines, expected.lines);
        differences.compare("lines counted under guards", pieces, expected.pieces);
        differences.compare("longest line", longest, expected.longest);
        for (int value = 0; value < BYTE_VALUES; value++) {
            String what = String.format(Locale.ROOT, "bytes 0x%02x", value);
            differences.compare(what, byteFrequency.get(value), expected.byteFrequency.get(value));
        }
        return differences.found;
    }

    private static final class Differences {
        private final List<String> found = new ArrayList<>();

        void compare(String what, Object counted, Object expected) {
            if (!counted.equals(expected)) {
                found.add(what + ": counted per CPU " + counted + ", in a single thread " + expected);
            }
        }
    }
}
