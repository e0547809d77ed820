package dev.percpu.internal.code;

import dev.percpu.internal.failure.Log;
import dev.percpu.internal.failure.Reporter;
import dev.percpu.internal.linux.Platform;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Tells profilers the names of the sequences, in the file that {@code perf} reads for generated code: {@code
 * /tmp/perf-PID.map}. Lines are appended, since other code generators in the process may use the file too. A file that
 * an earlier process with the same id has left is replaced.
 */
public final class PerfMap {
    /** Set to {@code true}, it has the names written. */
    public static final String PROPERTY = "percpu.perf.map";

    private static final boolean WANTED = Platform.flag(PROPERTY);

    private PerfMap() {}

    /** Whether the property asks for it. */
    public static boolean isWanted() {
        return WANTED;
    }

    /** Whether the file has names of this process already. */
    private static boolean begun;

    /** Appends the names. If that fails, the library works all the same, and a warning says so. */
    public static synchronized void write(List<CodeMapping.Symbol> symbols) {
        Path file = Path.of("/tmp/perf-" + ProcessHandle.current().pid() + ".map");
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
        try (OutputStream out = open(file)) {
            out.write(lines.toString().getBytes(StandardCharsets.UTF_8));
            begun = true;
        } catch (IOException e) {
            Reporter.queue(() -> Log.warn("the names of sequences could not be written to {0}: {1}", file, e));
        }
    }

    /**
     * Opens the file to append to it. All users can write to the directory. So another one may have put a link there,
     * to have a file of this user changed, or a pipe, to have this process wait. In that directory nobody else can
     * replace or remove what is this user's.
     */
    private static OutputStream open(Path file) throws IOException {
        Map<String, Object> found = attributes(file);
        if (found != null) {
            // A file with several names may be one of this user's that another user gave this name.
            if (!Objects.equals(found.get("isRegularFile"), true)
                    || !Objects.equals(found.get("uid"), Files.getAttribute(Path.of("/proc/self"), "unix:uid"))
                    || !Objects.equals(found.get("nlink"), 1)) {
                throw new FileSystemException(file.toString(), null, "it is not a file of this user alone");
            }
            if (begun || !isOfEarlierProcess(file)) {
                return Files.newOutputStream(file, StandardOpenOption.APPEND, LinkOption.NOFOLLOW_LINKS);
            }
            Files.delete(file);
        }
        return Files.newOutputStream(file, StandardOpenOption.CREATE_NEW);
    }

    /** Those of the file itself, if it is a link; null if there is none. */
    private static @Nullable Map<String, Object> attributes(Path file) throws IOException {
        try {
            return Files.readAttributes(file, "unix:isRegularFile,uid,nlink", LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    /** Whether a file is from before this process. Process ids come again, in containers the same one at each start. */
    private static boolean isOfEarlierProcess(Path file) throws IOException {
        Instant start = ProcessHandle.current().info().startInstant().orElse(Instant.MIN);
        return Files.getLastModifiedTime(file, LinkOption.NOFOLLOW_LINKS)
                .toInstant()
                .isBefore(start);
    }
}
