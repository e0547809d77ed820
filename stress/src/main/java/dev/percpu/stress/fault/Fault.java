package dev.percpu.stress.fault;

import java.util.List;

/**
 * Something wrong with the library.
 *
 * @param name what is wrong, in words
 * @param changes of the source, in one file or several
 * @param finders what finds it, in the order in which they are tried
 * @param reason why nothing can find it; empty if something does
 */
record Fault(String name, List<Change> changes, List<Finder> finders, String reason) {
    /** Whether it is in the C header, and not in the library. */
    boolean isInHeader() {
        return changes.stream().allMatch(change -> change.file().endsWith(".h"));
    }
}
