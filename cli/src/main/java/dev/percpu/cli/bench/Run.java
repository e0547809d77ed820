package dev.percpu.cli.bench;

import com.google.gson.JsonObject;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Comparator;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Where and when something was measured. Only figures of one run on one back end may be divided by each other.
 *
 * @param processor the processor's name, see {@link Processor}
 * @param cpus how many CPUs the process could use
 * @param kernel the operating system's name and release
 * @param jdk the JVM's version
 * @param date the day, in UTC
 * @param commit the source's version, shortened; "unknown" without git
 * @param backend the back end
 * @param command the command that measured
 */
public record Run(
        String processor,
        int cpus,
        String kernel,
        String jdk,
        String date,
        String commit,
        BackEnd backend,
        String command) {
    private static final String UNKNOWN = "unknown";
    private static final int TOLD_COMMITS = 2;

    /** The run that begins now, in which the JVMs that measure use this JVM's back end. */
    public static Run now(String commit, String command) {
        return new Run(
                Processor.name(),
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("os.name") + " " + System.getProperty("os.version"),
                System.getProperty("java.runtime.version"),
                LocalDate.now(ZoneOffset.UTC).toString(),
                commit,
                BackEnd.current(),
                command);
    }

    static Run of(JsonObject json) {
        return new Run(
                json.get("processor").getAsString(),
                json.get("cpus").getAsInt(),
                json.get("kernel").getAsString(),
                json.get("jdk").getAsString(),
                json.get("date").getAsString(),
                json.get("commit").getAsString(),
                BackEnd.of(json.get("backend").getAsString()),
                json.has("command") ? json.get("command").getAsString() : UNKNOWN);
    }

    JsonObject toJson() {
        JsonObject json = new JsonObject();
        json.addProperty("processor", processor);
        json.addProperty("cpus", cpus);
        json.addProperty("kernel", kernel);
        json.addProperty("jdk", jdk);
        json.addProperty("date", date);
        json.addProperty("commit", commit);
        json.addProperty("backend", backend.toString());
        json.addProperty("command", command);
        return json;
    }

    /**
     * The days and the commits of several runs, such as {@code 2026-11-25 to 2026-11-26, commits 1234567, 89abcde}. It
     * fits into a line of a page: of many commits the oldest and the newest ones are told.
     */
    static String when(List<Run> runs) {
        SortedSet<String> days = runs.stream().map(Run::date).collect(Collectors.toCollection(TreeSet::new));
        List<String> commits = runs.stream()
                .sorted(Comparator.comparing(Run::date))
                .map(Run::commit)
                .distinct()
                .toList();
        int more = commits.size() - TOLD_COMMITS;
        if (more > 0) {
            commits = List.of(commits.getFirst(), more + (more == 1 ? " other" : " others"), commits.getLast());
        }
        return days.first()
                + (days.size() == 1 ? "" : " to " + days.last())
                + (commits.size() == 1 ? ", commit " : ", commits ")
                + String.join(", ", commits);
    }
}
