package dev.percpu.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs other programs, and leaves none of them behind. */
public final class Processes {
    /** Where users keep options for every JVM. A JVM says on its output what it has found; tests compare the output. */
    private static final List<String> OPTIONS_OF_THE_USER =
            List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS");

    private Processes() {}

    /** How a process is started. */
    @FunctionalInterface
    interface Start {
        Process start(ProcessBuilder builder) throws IOException, InterruptedException;
    }

    /** How a process is waited for. */
    @FunctionalInterface
    public interface Wait {
        /** Returns whether it has ended. */
        boolean isOver(Process process) throws InterruptedException;
    }

    /** Has a JVM that is started find no options of the user. */
    public static ProcessBuilder withoutOptionsOfTheUser(ProcessBuilder builder) {
        builder.environment().keySet().removeAll(OPTIONS_OF_THE_USER);
        return builder;
    }

    /**
     * Runs a program to its end.
     *
     * @param limit how long it may run; longer in an emulated machine
     * @throws AssertionError if it takes too long; then it is killed, with all that it has started
     */
    public static Jvm.Result run(ProcessBuilder builder, Duration limit) {
        return run(builder, limit, ProcessBuilder::start);
    }

    static Jvm.Result run(ProcessBuilder builder, Duration most, Start start) {
        Duration limit = Effort.patience(most);
        try {
            // A pipe would have to be read while the process runs, and is open for as long as any child of it runs.
            Path output = Files.createTempFile("percpu-process", ".log");
            try {
                builder.redirectErrorStream(true).redirectOutput(output.toFile());
                Process process = start.start(builder);
                boolean ended =
                        endedOrKilled(process, running -> running.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS));
                String printed = new String(Files.readAllBytes(output), StandardCharsets.UTF_8);
                if (!ended) {
                    throw new AssertionError(
                            "still running after " + limit.toSeconds() + " s: " + builder.command() + "\n" + printed);
                }
                return new Jvm.Result(process.exitValue(), printed);
            } finally {
                Files.delete(output);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Waits for a process, and kills it, with all that it has started, if it does not end meanwhile. */
    public static boolean endedOrKilled(Process process, Wait wait) throws InterruptedException {
        boolean ended = false;
        try {
            ended = wait.isOver(process);
            return ended;
        } finally {
            if (!ended) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        }
    }
}
