package dev.percpu.cli.bench;

import dev.percpu.cli.output.CliException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What each benchmark is in its comparison. The benchmarks say so themselves, and their jar prints it. */
public final class Roles {
    /** What a benchmark can be; the benchmarks' annotation explains the names. */
    enum Kind {
        OURS,
        PEER,
        FLOOR,
        NOT_COMPARABLE
    }

    /**
     * One benchmark's role.
     *
     * @param kind what it is with platform threads
     * @param kindIfVirtual what it is with virtual ones
     * @param task what it does, and is compared with others in; empty if all in its class do the same
     * @param label what it measures, for people
     */
    record Role(Kind kind, Kind kindIfVirtual, String task, String label) {
        Kind kind(Arrangement arrangement) {
            return arrangement.virtual() ? kindIfVirtual : kind;
        }
    }

    private static final int FIELDS = 4;

    /** A peer among platform threads only; with virtual ones it does something else. */
    private static final String PEER_OF_PLATFORM_THREADS = "PEER_OF_PLATFORM_THREADS";

    private final Map<String, Role> roles = new HashMap<>();

    private Roles() {}

    /**
     * Reads lines with a benchmark's name, its role, its task and its label, and tabs between them.
     *
     * @throws CliException if a line is something else
     */
    static Roles parse(List<String> lines) {
        Roles parsed = new Roles();
        for (String line : lines) {
            String[] fields = line.split("\t", -1);
            if (fields.length != FIELDS) {
                throw new CliException("this is no role of a benchmark: " + line);
            }
            boolean platform = fields[1].equals(PEER_OF_PLATFORM_THREADS);
            Kind kind = platform ? Kind.PEER : kind(fields[1], line);
            parsed.roles.put(fields[0], new Role(kind, platform ? Kind.NOT_COMPARABLE : kind, fields[2], fields[3]));
        }
        return parsed;
    }

    private static Kind kind(String name, String line) {
        for (Kind kind : Kind.values()) {
            if (kind.name().equals(name)) {
                return kind;
            }
        }
        throw new CliException("this is no role of a benchmark: " + line);
    }

    /**
     * The role of the benchmark with a name.
     *
     * @throws CliException if it has none
     */
    Role of(String benchmark) {
        Role role = roles.get(benchmark);
        if (role == null) {
            throw new CliException("the benchmark " + benchmark + " has no role");
        }
        return role;
    }

    /** Whether there is a benchmark with a name. */
    boolean exists(String benchmark) {
        return roles.containsKey(benchmark);
    }

    /** The names of the floors. */
    List<String> floors() {
        return roles.entrySet().stream()
                .filter(role -> role.getValue().kind() == Kind.FLOOR)
                .map(Map.Entry::getKey)
                .sorted()
                .toList();
    }
}
