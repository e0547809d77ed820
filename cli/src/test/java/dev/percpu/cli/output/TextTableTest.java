package dev.percpu.cli.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class TextTableTest {
    private final TextTable table = new TextTable("name", "count", "note");

    @Test
    void theFirstColumnIsAlignedLeftTheOthersRightAndNoLineEndsWithBlanks() {
        table.add("counter", "12", "");
        table.add("a\tb", "1,000,000", "exact");
        StringWriter out = new StringWriter();

        table.print(new PrintWriter(out));

        assertThat(out.toString().lines())
                .containsExactly("name         count   note", "counter         12", "a?b      1,000,000  exact");
    }

    @Test
    void aRowHasAsManyCellsAsTheHeader() {
        assertThatThrownBy(() -> table.add("counter", "12"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("[counter, 12] does not fit below [name, count, note]");
    }
}
