package dev.percpu.cli.demo;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * Counts files the simplest way: in one thread, in plain fields. It shares no code with what it is to check. Files
 * must come in the order of their paths. (A test makes one that counts wrong, so the class is not final.)
 */
public class ReferenceCount {
    private static final int BUFFER_SIZE = 1 << 20;

    private final byte[] buffer = new byte[BUFFER_SIZE];
    private final long[] byteFrequency = new long[Totals.BYTE_VALUES];
    private long files;
    private long bytes;
    private long pieces;
    private Totals.Longest longest = new Totals.Longest(0, null);

    /** Counts a file, and returns the fingerprint of what was read. After an exception the totals are of no use. */
    Fingerprint add(Path file) throws IOException {
        CRC32C checksum = new CRC32C();
        long size = 0;
        long length = 0;
        try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                checksum.update(buffer, 0, read);
                size += read;
                for (int i = 0; i < read; i++) {
                    byteFrequency[buffer[i] & 0xff]++;
                    if (buffer[i] == '\n') {
                        endPiece(length, file);
                        length = 0;
                    } else {
                        length++;
                    }
                }
            }
        }
        if (length > 0) {
            endPiece(length, file);
        }
        files++;
        bytes += size;
        return new Fingerprint(size, checksum.getValue());
    }

    private void endPiece(long length, Path file) {
        pieces++;
        if (length > longest.bytes()) {
            longest = new Totals.Longest(length, file);
        }
    }

    /** How many bytes have been counted. */
    long bytes() {
        return bytes;
    }

    /** What has been counted. */
    public Totals totals() {
        return new Totals(
                files,
                bytes,
                byteFrequency['\n'],
                pieces,
                longest,
                Arrays.stream(byteFrequency).boxed().toList());
    }
}
