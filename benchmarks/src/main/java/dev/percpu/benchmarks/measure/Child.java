package dev.percpu.benchmarks.measure;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Other processes. If a signal ends this JVM, it ends them first. */
public final class Child {
    static {
        Runtime.getRuntime().addShutdownHook(new Thread(Child::endAll));
    }

    private Child() {}

    private static void endAll() {
        List<ProcessHandle> children = ProcessHandle.current().children().toList();
        children.forEach(ProcessHandle::destroy);
        // Until then they may still write to files that this JVM deletes when it ends.
        children.forEach(child -> child.onExit().join());
    }

    /**
     * Runs a main class of this class path in a JVM of its own, and returns what it printed. That JVM has this one's
     * options, and others. So the back end that was chosen for this JVM is the one that is measured.
     */
    public static String java(List<String> others, Class<?> main, List<String> arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(others);
        command.add(main.getName());
        command.addAll(arguments);
        return output(command);
    }

    /** Runs a command, and returns what it printed. */
    public static String output(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = process.waitFor();
        if (status != 0) {
            throw new IOException(String.join(" ", command) + " ended with status " + status + ": " + output);
        }
        return output;
    }
}
