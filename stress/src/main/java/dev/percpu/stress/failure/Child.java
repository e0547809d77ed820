package dev.percpu.stress.failure;

import dev.percpu.stress.time.RunningTime;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A {@link FailureJvm} as a process. One that says nothing for long is killed, unless it only lacks a CPU. As long as
 * it gets on, it says so several times a minute.
 */
final class Child {
    private static final long LONGEST_SILENCE_NANOS = TimeUnit.MINUTES.toNanos(5);
    private static final long LOOK_MILLIS = 1000;
    private static final int MOST_LINES = 200;

    private final Process process;
    private final BufferedReader lines;
    private final Timer timer = new Timer(true);
    private final Deque<String> remembered = new ArrayDeque<>();
    private volatile RunningTime sinceLastLine = new RunningTime();

    private Child(Process process) {
        this.process = process;
        this.lines = process.inputReader(StandardCharsets.UTF_8);
        CpuShortage shortage = new CpuShortage(process.pid());
        timer.schedule(
                new TimerTask() {
                    @Override
                    public void run() {
                        if (shortage.isNow()) {
                            sinceLastLine = new RunningTime();
                        } else if (sinceLastLine.nanos() > LONGEST_SILENCE_NANOS) {
                            process.destroyForcibly();
                        }
                    }
                },
                LOOK_MILLIS,
                LOOK_MILLIS);
    }

    /** @param tasks that need the same options */
    static Child start(List<Task> tasks, String backend, FailureRun.Extent extent) throws IOException {
        List<String> command = command(tasks, backend, extent);
        return new Child(new ProcessBuilder(command).redirectErrorStream(true).start());
    }

    /** What {@link #start} starts. */
    static List<String> command(List<Task> tasks, String backend, FailureRun.Extent extent) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(tasks.getFirst().jvmOptions());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("-Dpercpu.backend=" + backend);
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add(FailureJvm.class.getName());
        command.add(extent.name());
        tasks.forEach(task -> command.add(task.toString()));
        return command;
    }

    @Nullable
    String nextLine() throws IOException {
        String line = lines.readLine();
        sinceLastLine = new RunningTime();
        return line;
    }

    /** Keeps a line that is not for this program, for the case that the JVM fails. */
    void remember(String line) {
        if (remembered.size() == MOST_LINES) {
            remembered.removeFirst();
        }
        remembered.add(line);
    }

    String remembered() {
        return String.join("\n", remembered);
    }

    int status() throws InterruptedException {
        timer.cancel();
        return process.waitFor();
    }
}
