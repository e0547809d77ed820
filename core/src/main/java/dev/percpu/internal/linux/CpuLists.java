package dev.percpu.internal.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Optional;

/** Reads the kernel's lists of CPUs, such as {@code 0-3,8}. */
public final class CpuLists {
    private static final Path SYSFS = Path.of("/sys/devices/system/cpu");
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final String ALLOWED = "Cpus_allowed_list:";

    /** More than any kernel can be built for; a list that names a higher id is not a list of CPUs. */
    private static final int HIGHEST_ID = 1 << 16;

    private CpuLists() {}

    /** One of the kernel's masks, {@code possible}, {@code present} or {@code online}; empty if it is not available. */
    public static Optional<BitSet> system(String mask) {
        return read(SYSFS.resolve(mask)).flatMap(CpuLists::known);
    }

    /** The CPUs that the process's main thread may run on; empty if that is not available. */
    public static Optional<BitSet> allowed() {
        return read(STATUS)
                .flatMap(status -> status.lines()
                        .filter(line -> line.startsWith(ALLOWED))
                        .findFirst()
                        .flatMap(line -> known(line.substring(ALLOWED.length()))));
    }

    /** A sandbox can replace the kernel's files with anything; content that is not a list is ignored. */
    private static Optional<BitSet> known(String list) {
        try {
            return Optional.of(parse(list)).filter(cpus -> !cpus.isEmpty());
        } catch (IllegalArgumentException noList) {
            return Optional.empty();
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

    private static int id(String text, String list) {
        try {
            int id = Integer.parseInt(text);
            if (id < 0 || id > HIGHEST_ID) {
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

    private static Optional<String> read(Path file) {
        try {
            return Optional.of(Files.readString(file));
        } catch (IOException missingOrHidden) {
            return Optional.empty();
        }
    }
}
