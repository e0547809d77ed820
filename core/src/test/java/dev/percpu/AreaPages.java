package dev.percpu;

import dev.percpu.internal.area.Area;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which pages of the per-CPU area exist. */
public final class AreaPages {
    private static final Pattern MAPPING = Pattern.compile("([0-9a-f]+)-[0-9a-f]+ .*");
    private static final Pattern RSS = Pattern.compile("Rss:\\s+(\\d+) kB");

    private AreaPages() {}

    /** The resident size of the area, as the kernel tells it: of all mappings that it consists of. */
    public static long residentBytes() throws IOException {
        long start = Area.BASE;
        long end = start + Area.reservedBytes();
        boolean inside = false;
        long bytes = 0;
        for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
            Matcher mapping = MAPPING.matcher(line);
            Matcher rss = RSS.matcher(line);
            if (mapping.matches()) {
                long address = Long.parseUnsignedLong(mapping.group(1), 16);
                inside = address >= start && address < end;
            } else if (inside && rss.matches()) {
                bytes += Long.parseLong(rss.group(1)) * 1024;
            }
        }
        return bytes;
    }
}
