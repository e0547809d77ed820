package dev.percpu.stress.failure;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class FailureJvmTest {
    /** If its parent is killed, nobody ends it, and nobody reads what it found. */
    @Test
    void itEndsIfNobodyHasTheOtherEndOfItsInput() throws IOException, InterruptedException {
        Way way = Ways.named("stack/interpreter", Ways.all(FailureRun.Extent.ALL_STEPS));
        Task task = new Task(way, Operations.named("variable close"));
        Process process = new ProcessBuilder(Child.command(List.of(task), "atomic", FailureRun.Extent.ALL_STEPS))
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
