package dev.percpu.stress.fault;

import dev.percpu.stress.time.RunningTime;
import dev.percpu.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * One call of a finder.
 *
 * @param status 0 if it found nothing
 * @param took how long it ran
 * @param output what it printed
 */
record FinderCall(int status, Duration took, String output) {
    private static final int HANGS = -1;

    /** What the stress program and the tests of C code end with if they do not know what they are asked for. */
    private static final int MISUSED = 2;

    private static final int LOOK_MILLIS = 100;

    /** What a JVM ends with that somebody has ended by SIGKILL or SIGTERM. */
    private static final Set<Integer> KILLED = Set.of(128 + 9, 128 + 15);

    /**
     * Runs a command. If it does not end in time, it is killed with its children, and has failed.
     *
     * @param directory where it runs
     * @param log the file that gets its output; temporary files of compilers and shells are beside it
     */
    static FinderCall run(List<String> command, Path directory, Path log, Duration most)
            throws IOException, InterruptedException {
        long start = System.nanoTime();
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        // A compiler, or a shell, that is killed leaves files there.
        builder.environment()
                .put("TMPDIR", Objects.requireNonNull(log.getParent()).toString());
        Process process = builder.start();
        boolean ended = Processes.endedOrKilled(process, running -> endsWithin(most, running));
        if (ended && KILLED.contains(process.exitValue())) {
            throw new IllegalStateException("somebody killed " + String.join(" ", command));
        }
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        return new FinderCall(ended ? process.exitValue() : HANGS, took, Files.readString(log));
    }

    private static boolean endsWithin(Duration most, Process process) throws InterruptedException {
        RunningTime waited = new RunningTime();
        boolean ended = false;
        while (!ended && waited.nanos() < most.toNanos()) {
            ended = process.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        }
        return ended;
    }

    /** @throws IllegalStateException if the finder was called in a wrong way, so that it has run nothing */
    boolean found() {
        if (status == MISUSED) {
            throw new IllegalStateException("a finder is called in a wrong way: " + output);
        }
        return status != 0;
    }

    boolean hangs() {
        return status == HANGS;
    }
}
