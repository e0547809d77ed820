package dev.percpu.nativecode;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
class CompilerTest {
    /** Longer than a test's time. No other program of these tests has this argument. */
    private static final String SECONDS = "987.654";

    /** JUnit interrupts a test that takes too long. */
    @Test
    void nothingThatAProgramHasStartedOutlivesATestThatIsInterrupted() throws Exception {
        Thread test = Thread.ofPlatform().start(() -> {
            try {
                Compiler.run(List.of("sh", "-c", "sleep " + SECONDS + " & wait"), Map.of());
            } catch (AssertionError interrupted) {
                Thread.currentThread().interrupt();
            }
        });
        Optional<ProcessHandle> sleep = Optional.empty();
        while (sleep.isEmpty() && test.isAlive()) {
            Thread.sleep(1);
            sleep = ProcessHandle.current()
                    .descendants()
                    .filter(process -> process.info()
                            .commandLine()
                            .map(line -> line.endsWith("sleep " + SECONDS))
                            .orElse(false))
                    .findFirst();
        }
        assertThat(sleep).isPresent();

        test.interrupt();

        test.join();
        sleep.get().onExit().get();
    }
}
