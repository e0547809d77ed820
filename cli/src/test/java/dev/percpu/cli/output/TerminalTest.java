package dev.percpu.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TerminalTest {
    @Test
    void whatIsNotKnownIsNoLimit() {
        assertThat(Terminal.of("24 80\n")).isEqualTo(new Terminal(24, 80));
        assertThat(Terminal.of("0 0\n")).isEqualTo(Terminal.of(""));
        assertThat(Terminal.of("24 99999999999\n")).isEqualTo(Terminal.of(""));
        assertThat(Terminal.of("").shown("a line\n")).isEqualTo("a line\n");
    }

    @Test
    void noMoreIsShownThanFits() {
        assertThat(new Terminal(3, 5).shown("short\ntoo long\nnot shown\n")).isEqualTo("short\ntoo l\n");
    }

    @Test
    void noCharacterIsCutInHalf() {
        Terminal narrow = new Terminal(3, 2);
        assertThat(narrow.shown("a\uD83D\uDE00b")).isEqualTo("a\n");
        assertThat(narrow.shown("\uD83D\uDE00b")).isEqualTo("\uD83D\uDE00\n");
    }
}
