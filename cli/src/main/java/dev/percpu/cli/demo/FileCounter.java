package dev.percpu.cli.demo;

import dev.percpu.CpuGuard;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/** Counts the files of one thread into variables that all threads share. */
final class FileCounter {
    private static final int BUFFER_SIZE = 1 << 16;
    private static final int NEVER_MET = 0;

    private final CountingVariables variables;
    private final byte[] buffer = new byte[BUFFER_SIZE];
    private final int[] frequency = new int[Totals.BYTE_VALUES];

    FileCounter(CountingVariables variables) {
        this.variables = variables;
    }

    /**
     * Counts a file, and returns the fingerprint of what was read.
     *
     * @throws PartlyCountedException if reading fails after some of the file has been counted
     * @throws IOException if reading fails before that
     */
    Fingerprint count(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
            return count(in, file);
        }
    }

    /** Counts what a stream has, as if it came from the file. */
    Fingerprint count(InputStream in, Path file) throws IOException {
        CRC32C checksum = new CRC32C();
        long size = 0;
        long unfinished = 0;
        try {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                checksum.update(buffer, 0, read);
                size += read;
                unfinished = countBuffer(read, unfinished, file);
            }
        } catch (IOException e) {
            throw size == 0 ? e : new PartlyCountedException(e);
        }
        if (unfinished > 0) {
            countPiece(unfinished, file);
        }
        variables.files.increment();
        return new Fingerprint(size, checksum.getValue());
    }

    /** Returns how much of a line lies after the buffer's last line feed, with what was before the buffer. */
    private long countBuffer(int filled, long before, Path file) {
        long length = before;
        int lineStart = 0;
        for (int i = 0; i < filled; i++) {
            frequency[buffer[i] & 0xff]++;
            if (buffer[i] == '\n') {
                variables.lines.increment();
                countPiece(length + i - lineStart, file);
                length = 0;
                lineStart = i + 1;
            }
        }
        for (int value = 0; value < frequency.length; value++) {
            if (frequency[value] != NEVER_MET) {
                variables.byteFrequency.get(value).add(frequency[value]);
                frequency[value] = NEVER_MET;
            }
        }
        variables.buffers.increment();
        variables.bytes.add(filled);
        return length + filled - lineStart;
    }

    private void countPiece(long length, Path file) {
        // Nothing in here blocks: whoever comes to this CPU waits for the guard.
        try (CpuGuard guard = CpuGuard.acquire()) {
            variables.pieces.getMut(guard).run(statistics -> statistics.add(length, file));
        }
    }

    /** A file could be read to some point only, and what comes before is in the totals. */
    static final class PartlyCountedException extends IOException {
        private static final long serialVersionUID = 1L;

        PartlyCountedException(IOException cause) {
            super(cause.getMessage(), cause);
        }
    }
}
