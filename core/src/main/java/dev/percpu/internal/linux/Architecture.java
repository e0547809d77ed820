package dev.percpu.internal.linux;

import java.util.Locale;

/** The processor architecture this JVM runs on, and how the kernel's interface differs between architectures. */
public enum Architecture {
    /** No lost abort was reported on it. See docs/rseq.md on why its kernels before 7.0.10 are suspect all the same. */
    X86_64(324, 234, new KernelVersion(7, 0, 10)),
    AARCH64(283, 131, new KernelVersion(7, 0, 14)),

    /** It has no sequences, so no kernel is new enough for them. */
    OTHER(-1, -1, new KernelVersion(Integer.MAX_VALUE, 0, 0));

    private static final Architecture CURRENT =
            switch (System.getProperty("os.arch").toLowerCase(Locale.ROOT)) {
                case "amd64", "x86_64" -> X86_64;
                case "aarch64", "arm64" -> AARCH64;
                default -> OTHER;
            };

    private final long membarrierNumber;
    private final long tgkillNumber;

    @SuppressWarnings("ImmutableEnumChecker") // a record of three numbers
    private final KernelVersion abortsFixed;

    /** @param abortsFixed see {@link #abortsFixed()} */
    Architecture(long membarrierNumber, long tgkillNumber, KernelVersion abortsFixed) {
        this.membarrierNumber = membarrierNumber;
        this.tgkillNumber = tgkillNumber;
        this.abortsFixed = abortsFixed;
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

    /** The first kernel after those that are suspected to lose aborts: see {@link KernelVersion#isSuspect}. */
    KernelVersion abortsFixed() {
        return abortsFixed;
    }
}
