package dev.percpu.stress.failure;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FailureJvmTest {
    /** If its parent is killed, nobody ends it, and nobody reads what it found. */
    @Test
    void itEndsIfNobodyHasTheOtherEndOfItsInput() throws IOException, InterruptedException {
        Way way = Ways.named("stack/interpreter", Ways.all(FailureRun.Extent.ALL_STEPS));
        Task task = new Task(way, Operations.named("variable close"));
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(task.jvmOptions());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), FailureJvm.class.getName()));
        command.addAll(List.of(FailureRun.Extent.ALL_STEPS.name(), task.toString()));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            process.getOutputStream().close();
            assertThat(process.waitFor()).isEqualTo(FailureJvm.ORPHANED);
        } finally {
            process.destroyForcibly();
        }
    }
}
