package dev.percpu.stress.fault;

import java.util.ArrayList;
import java.util.List;

/**
 * Some lines of a source file in place of others. How far lines are indented does not count.
 *
 * @param file below the sources' root or, of the C header, below its directory
 * @param before the lines that are there, of which the file has one such row
 * @param after the lines to put there
 */
record Change(String file, List<String> before, List<String> after) {
    Change {
        before = before.stream().map(String::strip).toList();
        after = after.stream().map(String::strip).toList();
    }

    /**
     * The file's text after the change.
     *
     * @throws IllegalStateException if the lines are not there, or more than once
     */
    String applyTo(String text) {
        List<String> lines = text.lines().toList();
        int found = -1;
        for (int line = 0; line + before.size() <= lines.size(); line++) {
            if (isAt(lines, line)) {
                if (found >= 0) {
                    throw doesNotApply("has these lines twice");
                }
                found = line;
            }
        }
        if (found < 0) {
            throw doesNotApply("does not have these lines");
        }
        List<String> changed = new ArrayList<>(lines.subList(0, found));
        changed.addAll(after);
        changed.addAll(lines.subList(found + before.size(), lines.size()));
        return String.join("\n", changed) + "\n";
    }

    private boolean isAt(List<String> lines, int first) {
        for (int i = 0; i < before.size(); i++) {
            if (!lines.get(first + i).strip().equals(before.get(i))) {
                return false;
            }
        }
        return true;
    }

    private IllegalStateException doesNotApply(String why) {
        return new IllegalStateException(file + " " + why + ":\n" + String.join("\n", before)
                + "\nAdapt the fault to the code, or take it off the list if the code cannot have it any more");
    }
}
