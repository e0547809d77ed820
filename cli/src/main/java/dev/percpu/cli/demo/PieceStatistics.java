package dev.percpu.cli.demo;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the lines that were counted on one CPU: an ordinary object of three fields that change together, for
 * which there is no single instruction. Only the guard makes it safe; were it to let two threads in, {@code pieces}
 * would lose some.
 */
final class PieceStatistics {
    private long pieces;
    private long longest;
    private @Nullable Path longestFile;

    /** Takes in a line, or the rest of a file after its last line feed. */
    void add(long length, Path file) {
        pieces++;
        if (length > longest) {
            longest = length;
            longestFile = file;
        } else if (length == longest && longestFile != null && file.compareTo(longestFile) < 0) {
            longestFile = file;
        }
    }

    /** Takes in another CPU's. */
    void add(PieceStatistics other) {
        long sum = pieces + other.pieces;
        if (other.longestFile != null) {
            add(other.longest, other.longestFile);
        }
        pieces = sum;
    }

    long pieces() {
        return pieces;
    }

    Totals.Longest longest() {
        return new Totals.Longest(longest, longestFile);
    }
}
