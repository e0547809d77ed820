package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.percpu.testing.Jvm;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The JVMs that tests start. */
@Tag("once")
class JvmTest {
    private static final Pattern SLEEPER = Pattern.compile("sleeper (\\d+)");

    /** With what it has started, and although that keeps its output open. */
    @Test
    void oneThatHangsIsKilled() throws Exception {
        Throwable thrown = catchThrowable(() -> new Jvm()
                .startedBy("sh", "-c", "sleep 300 & echo sleeper $!; wait")
                .within(Duration.ofSeconds(10))
                .run(JvmTest.class));
        assertThat(thrown)
                .isInstanceOf(AssertionError.class)
                .hasMessageMatching("(?s)still running after \\d+ s: .*")
                .hasMessageContaining("JvmTest");
        Matcher sleeper = SLEEPER.matcher(thrown.getMessage());
        assertThat(sleeper.find()).as(thrown.getMessage()).isTrue();
        ProcessHandle.of(Long.parseLong(sleeper.group(1)))
                .ifPresent(
                        child -> child.onExit().orTimeout(1, TimeUnit.MINUTES).join());
    }
}
