package dev.percpu.internal.linux;

/**
 * A kernel's version. Some versions are said to lose aborts.
 *
 * @param patch {@link #CANDIDATE} for the release candidates of a version, which all count as one
 */
public record KernelVersion(int major, int minor, int patch) implements Comparable<KernelVersion> {
    /** A number with more digits is no part of a version. */
    private static final int MOST_DIGITS = 5;

    /** Less than any number of a patch: a release candidate is older than its release. */
    private static final int CANDIDATE = -1;

    private static final KernelVersion UNKNOWN = new KernelVersion(0, 0, 0);
    private static final KernelVersion FIRST_SUSPECT = new KernelVersion(6, 19, CANDIDATE);

    /** The fix came with the third of these, and later with the patch {@link Architecture#abortsFixed} of 7.0. */
    private static final KernelVersion FIXED_LATE = new KernelVersion(7, 1, CANDIDATE);

    /** The running kernel's version; 0.0.0 if it cannot be read. */
    public static KernelVersion running() {
        return parse(System.getProperty("os.version"));
    }

    /** Of what the kernel calls its release; 0.0.0 if that does not begin with a version. */
    public static KernelVersion parse(String release) {
        int majorEnd = numberEnd(release, 0);
        int minorEnd = numberEnd(release, majorEnd + 1);
        if (majorEnd == 0 || minorEnd == majorEnd + 1 || !isDot(release, majorEnd)) {
            return UNKNOWN;
        }
        int patchEnd = isDot(release, minorEnd) ? numberEnd(release, minorEnd + 1) : minorEnd;
        int patch = patchEnd > minorEnd + 1 ? Integer.parseInt(release.substring(minorEnd + 1, patchEnd)) : 0;
        return new KernelVersion(
                Integer.parseInt(release.substring(0, majorEnd)),
                Integer.parseInt(release.substring(majorEnd + 1, minorEnd)),
                patch == 0 && isCandidate(release, patchEnd) ? CANDIDATE : patch);
    }

    /** Whether a number follows "rc": as in {@code -rc2} or Fedora's {@code -0.rc2}, and not as in {@code -arch1}. */
    private static boolean isCandidate(String release, int from) {
        int at = release.indexOf("rc", from);
        while (at >= 0 && numberEnd(release, at + 2) == at + 2) {
            at = release.indexOf("rc", at + 2);
        }
        return at >= 0;
    }

    private static boolean isDot(String text, int index) {
        return index < text.length() && text.charAt(index) == '.';
    }

    /** Where the number that begins at an index ends; the index itself if none does. */
    private static int numberEnd(String text, int from) {
        int end = from;
        while (end < text.length() && end < from + MOST_DIGITS && text.charAt(end) >= '0' && text.charAt(end) <= '9') {
            end++;
        }
        return end;
    }

    /**
     * Whether sequences are said to lose updates under this kernel. Then the deep self-test has to show that they do
     * not. A version that cannot be read may be any version, so it is suspect too.
     */
    public boolean isSuspect(Architecture architecture) {
        // Not equals: the JDK softly keeps what it generates for a record's equals, and with it the record's
        // class loader.
        return compareTo(UNKNOWN) == 0
                || compareTo(FIXED_LATE) == 0
                || (compareTo(FIRST_SUSPECT) >= 0 && compareTo(architecture.abortsFixed()) < 0);
    }

    @Override
    public int compareTo(KernelVersion other) {
        if (major != other.major) {
            return Integer.compare(major, other.major);
        }
        return minor != other.minor ? Integer.compare(minor, other.minor) : Integer.compare(patch, other.patch);
    }

    @Override
    public String toString() {
        return major + "." + minor + (patch == CANDIDATE ? ".0-rc" : "." + patch);
    }
}
