package dev.percpu.cli.top;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cli.output.CliException;
import java.io.EOFException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
class TargetProcessTest {
    @Test
    void whatAQuestionThrowsIsPassedOn() throws Exception {
        TargetProcess process = new TargetProcess(1);
        CliException failure = new CliException("for example");
        StackOverflowError error = new StackOverflowError();

        assertThat(process.<Integer>ask(Duration.ofDays(1), () -> 7)).isEqualTo(7);
        assertThatThrownBy(() -> process.ask(Duration.ofDays(1), () -> {
                    throw failure;
                }))
                .isSameAs(failure);
        assertThatThrownBy(() -> process.ask(Duration.ofDays(1), () -> {
                    throw error;
                }))
                .isSameAs(error);
        assertThat(process.isSilent()).isFalse();
    }

    @Test
    void aProcessThatDoesNotAnswerIsNotWaitedForForever() {
        TargetProcess process = new TargetProcess(1);
        CompletableFuture<Integer> never = new CompletableFuture<>();

        try {
            assertThatThrownBy(() -> process.ask(Duration.ofSeconds(1), never::join))
                    .isInstanceOf(CliException.class)
                    .hasMessage("process 1 has not answered for 1 s");
            assertThat(process.isSilent()).isTrue();
        } finally {
            never.complete(7);
        }
    }

    /** To end, a process that was killed needs a moment. */
    @Test
    void aProcessThatBreaksOffHasEndedIfItEndsSoon() throws Exception {
        Process child = new ProcessBuilder("sleep", "600").start();
        TargetProcess process = new TargetProcess(child.pid());
        EOFException cause = new EOFException();
        try {
            assertThat(process.gone(cause))
                    .hasMessage("process " + child.pid() + " no longer answers")
                    .hasCause(cause);
            assertThat(process.failed(" says no", cause)).hasMessage("process " + child.pid() + " says no");
        } finally {
            child.destroyForcibly();
        }
        assertThat(process.gone(cause)).hasMessage("process " + child.pid() + " has ended");
        child.waitFor();
        assertThat(process.failed(" says no", cause)).hasMessage("process " + child.pid() + " has ended");
    }
}
