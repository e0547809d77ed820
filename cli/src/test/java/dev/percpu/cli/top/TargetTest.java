package dev.percpu.cli.top;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cli.TopCommandTest;
import dev.percpu.cli.output.CliException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Processes that stop answering while they are shown. */
class TargetTest {
    @Test
    void aProcessThatIsStoppedMeanwhileIsNotWaitedFor() throws Exception {
        Process subject = TopCommandTest.startSubjectOfItsOwn();
        try (Target target = Target.of(subject.pid())) {
            Reading _ = target.read();
            TopCommandTest.stop(subject);
            assertThatThrownBy(() -> target.read(Duration.ofMillis(10)))
                    .isInstanceOf(CliException.class)
                    .hasMessageStartingWith("process " + subject.pid() + " is stopped, ");
        } finally {
            subject.destroyForcibly();
        }
    }
}
