package dev.percpu.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;

class MessagesTest {
    @Test
    void aFailureIsAWholeLine() {
        assertThat(Messages.of(new CliException("red\u001b[31m\nname"))).isEqualTo("red?[31m?name");
        assertThat(Messages.of(new IllegalStateException("red\u001b[31m")))
                .isEqualTo("unexpected error: java.lang.IllegalStateException: red?[31m");
    }

    @Test
    void aBackEndThatCannotRunSaysWhy() {
        assertThat(Messages.of(new ExceptionInInitializerError(new IllegalStateException("no rseq"))))
                .isEqualTo("no rseq");
        assertThat(Messages.of(new ExceptionInInitializerError(new IllegalArgumentException("no such back end"))))
                .isEqualTo("no such back end");
        assertThat(Messages.of(new ExceptionInInitializerError(new ArithmeticException("a bug"))))
                .startsWith("unexpected error: ");
    }

    @Test
    void whyAFileCannotBeReadIsAClause() {
        assertThat(Messages.reason(new NoSuchFileException("file"))).isEqualTo("it does not exist");
        assertThat(Messages.reason(new AccessDeniedException("file"))).isEqualTo("permission denied");
        assertThat(Messages.reason(new FileSystemException("file", null, "Too many levels\n")))
                .isEqualTo("Too many levels?");
        assertThat(Messages.reason(new FileSystemException("fi\nle"))).isEqualTo("fi?le");
        assertThat(Messages.reason(new IOException("Input/output\terror"))).isEqualTo("Input/output?error");
    }

    /** A control character, one that turns the direction of what follows, and two that end a line. */
    @Test
    void whatIsNotSafeToShowIsReplaced() {
        assertThat(Messages.printable("a\u007fb\u202ec\u2028d\u2029e\u00e9\uD83D\uDE00"))
                .isEqualTo("a?b?c?d?e\u00e9\uD83D\uDE00");
    }
}
