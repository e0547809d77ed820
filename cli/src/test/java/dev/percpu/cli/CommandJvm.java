package dev.percpu.cli;

import dev.percpu.testing.Processes;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A program of this module in a JVM of its own. */
public final class CommandJvm {
    private CommandJvm() {}

    /**
     * Starts one.
     *
     * @param errors the file that gets what it writes to standard error
     * @param options for the JVM
     */
    public static Process start(
            Class<?> main, ProcessBuilder.Redirect out, Path errors, List<String> options, String... args)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(options);
        command.add("-cp");
        command.add(String.join(
                File.pathSeparator,
                Stream.of("jdk.module.path", "java.class.path")
                        .map(name -> System.getProperty(name, ""))
                        .filter(path -> !path.isEmpty())
                        .toList()));
        command.add(main.getName());
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(out).redirectError(errors.toFile());
        return Processes.withoutOptionsOfTheUser(builder).start();
    }
}
