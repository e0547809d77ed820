package dev.percpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which pages of the per-CPU area exist. */
public final class AreaPages {
    private static final Pattern RSS = Pattern.compile("Rss:\\s+(\\d+) kB");

    private AreaPages() {}

    /** The resident size of the area's mapping, as the kernel tells it. */
    public static long residentBytes() throws IOException {
        String start = Long.toHexString(PerCpuRuntime.memory().address()) + "-";
        List<String> lines = Files.readAllLines(Path.of("/proc/self/smaps"));
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).startsWith(start)) {
                Matcher rss = RSS.matcher(String.join("\n", lines.subList(i, i + 8)));
                if (rss.find()) {
                    return Long.parseLong(rss.group(1)) * 1024;
                }
            }
        }
        throw new IllegalStateException("no mapping begins at " + start);
    }
}
