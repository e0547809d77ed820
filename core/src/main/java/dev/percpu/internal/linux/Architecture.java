package dev.percpu.internal.linux;

import java.util.Locale;

/** The processor architecture this JVM runs on, and how the kernel's interface differs between architectures. */
public enum Architecture {
    X86_64(324, 234),
    AARCH64(283, 131),
    OTHER(-1, -1);

    private static final Architecture CURRENT =
            switch (System.getProperty("os.arch").toLowerCase(Locale.ROOT)) {
                case "amd64", "x86_64" -> X86_64;
                case "aarch64", "arm64" -> AARCH64;
                default -> OTHER;
            };

    private final long membarrierNumber;
    private final long tgkillNumber;

    Architecture(long membarrierNumber, long tgkillNumber) {
        this.membarrierNumber = membarrierNumber;
        this.tgkillNumber = tgkillNumber;
    }

    public static Architecture current() {
        return CURRENT;
    }

    /** The number of the {@code membarrier} system call, which no C library wraps. */
    long membarrierNumber() {
        return membarrierNumber;
    }

    /** The number of the {@code tgkill} system call. */
    long tgkillNumber() {
        return tgkillNumber;
    }
}
