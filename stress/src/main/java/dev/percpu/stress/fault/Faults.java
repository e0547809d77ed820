package dev.percpu.stress.fault;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The list of all faults, which is a text file beside this class:
 *
 * <pre>
 * fault: the place of a living thread goes to another one
 * found by: stress hot threads
 * in: internal/area/OwnPlaces.java
 *  lines that stay
 * -lines that go
 * +lines that come
 * </pre>
 *
 * <p>A fault may have several {@code found by}, and changes in several places, each with an {@code in}. One that
 * nothing can find says why: {@code not found:}. Comments begin with {@code #}.
 */
final class Faults {
    private static final String LIST = "faults.txt";

    private static final String FAULT = "fault: ";
    private static final String FOUND_BY = "found by: ";
    private static final String NOT_FOUND = "not found: ";
    private static final String IN = "in: ";

    private final List<Fault> all = new ArrayList<>();
    private String name = "";
    private String reason = "";
    private final List<Finder> finders = new ArrayList<>();
    private final List<Change> changes = new ArrayList<>();
    private String file = "";
    private final List<String> before = new ArrayList<>();
    private final List<String> after = new ArrayList<>();

    private Faults() {}

    /** All of them. */
    static List<Fault> all() {
        try (InputStream in = Objects.requireNonNull(Faults.class.getResourceAsStream(LIST))) {
            return read(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads a list. */
    static List<Fault> read(String text) {
        Faults faults = new Faults();
        text.lines().forEach(faults::readLine);
        faults.endFault();
        return faults.all;
    }

    private void readLine(String line) {
        if (line.startsWith(FAULT)) {
            endFault();
            name = rest(line, FAULT);
        } else if (line.startsWith(FOUND_BY)) {
            finders.add(Finder.of(rest(line, FOUND_BY)));
        } else if (line.startsWith(NOT_FOUND)) {
            reason = rest(line, NOT_FOUND);
        } else if (line.startsWith(IN)) {
            endChange();
            file = rest(line, IN);
        } else if (line.startsWith(" ")) {
            before.add(line);
            after.add(line);
        } else if (line.startsWith("-")) {
            before.add(line.substring(1));
        } else if (line.startsWith("+")) {
            after.add(line.substring(1));
        } else if (!line.isBlank() && !line.startsWith("#")) {
            throw new IllegalStateException(LIST + " has a line that means nothing: " + line);
        }
    }

    private static String rest(String line, String key) {
        return line.substring(key.length()).strip();
    }

    private void endChange() {
        if (!file.isEmpty()) {
            changes.add(new Change(file, before, after));
        }
        file = "";
        before.clear();
        after.clear();
    }

    private void endFault() {
        endChange();
        if (!name.isEmpty()) {
            if (changes.isEmpty() || finders.isEmpty() == reason.isEmpty()) {
                throw new IllegalStateException(
                        "the fault '" + name + "' needs a change, and either what finds it or why nothing does");
            }
            all.add(new Fault(name, List.copyOf(changes), List.copyOf(finders), reason));
        }
        name = "";
        reason = "";
        changes.clear();
        finders.clear();
    }
}
