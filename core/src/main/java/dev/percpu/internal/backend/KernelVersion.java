package dev.percpu.internal.backend;

import dev.percpu.internal.linux.Architecture;
import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A kernel's version. Some versions are said to lose aborts. */
record KernelVersion(int major, int minor, int patch) implements Comparable<KernelVersion> {
    private static final Pattern RELEASE = Pattern.compile("(\\d{1,5})\\.(\\d{1,5})(?:\\.(\\d{1,5}))?.*");

    private static final KernelVersion UNKNOWN = new KernelVersion(0, 0, 0);
    private static final KernelVersion FIRST_SUSPECT = new KernelVersion(6, 19, 0);
    private static final KernelVersion FIXED_ON_X86_64 = new KernelVersion(7, 0, 10);
    private static final KernelVersion FIXED_ELSEWHERE = new KernelVersion(7, 0, 14);

    /** The running kernel's version; 0.0.0 if it cannot be read. */
    static KernelVersion running() {
        return parse(System.getProperty("os.version"));
    }

    static KernelVersion parse(String release) {
        Matcher matcher = RELEASE.matcher(release);
        if (!matcher.matches()) {
            return UNKNOWN;
        }
        String patch = matcher.group(3);
        return new KernelVersion(
                Integer.parseInt(matcher.group(1)),
                Integer.parseInt(matcher.group(2)),
                patch == null ? 0 : Integer.parseInt(patch));
    }

    /**
     * Whether sequences are said to lose updates under this kernel. Then the deep self-test has to show that they do
     * not. A version that cannot be read may be any version, so it is suspect too.
     */
    boolean isSuspect(Architecture architecture) {
        KernelVersion fixed = architecture == Architecture.X86_64 ? FIXED_ON_X86_64 : FIXED_ELSEWHERE;
        // Not equals: the JDK softly keeps what it generates for a record's equals, and with it the record's
        // class loader.
        return compareTo(UNKNOWN) == 0 || (compareTo(FIRST_SUSPECT) >= 0 && compareTo(fixed) < 0);
    }

    @Override
    public int compareTo(KernelVersion other) {
        return Comparator.comparingInt(KernelVersion::major)
                .thenComparingInt(KernelVersion::minor)
                .thenComparingInt(KernelVersion::patch)
                .compare(this, other);
    }

    @Override
    public String toString() {
        return major + "." + minor + "." + patch;
    }
}
