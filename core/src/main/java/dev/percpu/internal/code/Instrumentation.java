package dev.percpu.internal.code;

/**
 * What a build of the sequences contains for tests and for the deep self-test, unlike the normal build.
 *
 * @param delayRounds rounds of an empty loop between any two steps of a section, which make it likely that the thread
 *     is preempted there; 0 for none
 * @param abortCounter address of a 64-bit number that counts the aborts; 0 for none
 * @param armed whether the sections are armed; if not, everything is as under a kernel that loses aborts
 */
public record Instrumentation(int delayRounds, long abortCounter, boolean armed) {
    public static final Instrumentation NONE = new Instrumentation(0, 0);

    public Instrumentation(int delayRounds, long abortCounter) {
        this(delayRounds, abortCounter, true);
    }

    /** The same instrumentation, with sections that are not armed. */
    public Instrumentation unarmed() {
        return new Instrumentation(delayRounds, abortCounter, false);
    }
}
