package dev.percpu.internal.code;

import dev.percpu.internal.failure.Log;
import dev.percpu.internal.failure.Reporter;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Tells profilers the names of the sequences, in the file that {@code perf} reads for generated code: {@code
 * /tmp/perf-PID.map}. Lines are appended, since other code generators in the process may use the file too.
 */
public final class PerfMap {
    /** Set to {@code true}, it has the names written. */
    public static final String PROPERTY = "percpu.perf.map";

    private PerfMap() {}

    /** Whether the property asks for it. */
    public static boolean isWanted() {
        return Boolean.getBoolean(PROPERTY);
    }

    /** Appends the names. If that fails, the library works all the same, and a warning says so. */
    public static void write(List<CodeMapping.Symbol> symbols) {
        String file = "/tmp/perf-" + ProcessHandle.current().pid() + ".map";
        StringBuilder lines = new StringBuilder();
        for (CodeMapping.Symbol symbol : symbols) {
            // The format has the rest of the line for the name.
            lines.append(Long.toHexString(symbol.address()))
                    .append(' ')
                    .append(Long.toHexString(symbol.bytes()))
                    .append(" percpu: ")
                    .append(symbol.name())
                    .append('\n');
        }
        try (FileOutputStream out = new FileOutputStream(file, true)) {
            out.write(lines.toString().getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            Reporter.queue(() -> Log.warn("the names of sequences could not be written to {0}: {1}", file, e));
        }
    }
}
