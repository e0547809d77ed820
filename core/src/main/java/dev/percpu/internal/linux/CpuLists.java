package dev.percpu.internal.linux;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * Reads the kernel's lists of CPUs, such as {@code 0-3,8}. It is the first thing that this library does, so it uses
 * only what is quick in a JVM that has just started.
 */
public final class CpuLists {
    private static final String SYSFS = "/sys/devices/system/cpu/";
    private static final String STATUS = "/proc/self/status";
    private static final String ALLOWED = "Cpus_allowed_list:";

    /** More than any kernel can be built for; a list that names a higher id is not a list of CPUs. */
    private static final int HIGHEST_ID = 1 << 16;

    private CpuLists() {}

    /** One of the kernel's masks, {@code possible}, {@code present} or {@code online}; null if it is not available. */
    public static @Nullable BitSet system(String mask) {
        return known(read(SYSFS + mask));
    }

    /** The CPUs that the process's main thread may run on; null if that is not available. */
    public static @Nullable BitSet allowed() {
        String status = read(STATUS);
        int label = status.indexOf(ALLOWED);
        if (label < 0) {
            return null;
        }
        int start = label + ALLOWED.length();
        int end = status.indexOf('\n', start);
        return known(end < 0 ? status.substring(start) : status.substring(start, end));
    }

    /** A sandbox can replace the kernel's files with anything; content that is not a list is ignored. */
    private static @Nullable BitSet known(String list) {
        try {
            BitSet cpus = parse(list);
            return cpus.isEmpty() ? null : cpus;
        } catch (IllegalArgumentException noList) {
            return null;
        }
    }

    /**
     * Parses a list in the kernel's format.
     *
     * @throws IllegalArgumentException if the text is not such a list
     */
    public static BitSet parse(String list) {
        BitSet cpus = new BitSet();
        if (list.isBlank()) {
            return cpus;
        }
        for (String range : list.strip().split(",", -1)) {
            String[] ends = range.split("-", -1);
            int first = id(ends[0], list);
            int last = ends.length == 1 ? first : id(ends[1], list);
            if (ends.length > 2 || last < first) {
                throw malformed(list);
            }
            cpus.set(first, last + 1);
        }
        return cpus;
    }

    /** The text has no minus sign, so the number is not negative. */
    private static int id(String text, String list) {
        try {
            int id = Integer.parseInt(text);
            if (id > HIGHEST_ID) {
                throw malformed(list);
            }
            return id;
        } catch (NumberFormatException e) {
            IllegalArgumentException malformed = malformed(list);
            malformed.initCause(e);
            throw malformed;
        }
    }

    private static IllegalArgumentException malformed(String list) {
        return new IllegalArgumentException("not a list of CPUs such as 0-3,8: '" + list.strip() + "'");
    }

    /** What is in a file; nothing if it is missing or hidden. */
    private static String read(String file) {
        try (FileInputStream stream = new FileInputStream(file)) {
            return new String(stream.readAllBytes(), StandardCharsets.ISO_8859_1);
        } catch (IOException missingOrHidden) {
            return "";
        }
    }
}
