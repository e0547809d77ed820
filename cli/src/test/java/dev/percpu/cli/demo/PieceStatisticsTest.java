package dev.percpu.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
class PieceStatisticsTest {
    private static final Path A = Path.of("a");
    private static final Path B = Path.of("b");

    private final PieceStatistics statistics = new PieceStatistics();

    @Test
    void ofSeveralAsLongTheFirstByPathIsTheLongest() {
        statistics.add(7, B);
        statistics.add(7, A);
        statistics.add(7, B);
        statistics.add(6, B);

        assertThat(statistics.longest()).isEqualTo(new Totals.Longest(7, A));
        assertThat(statistics.pieces()).isEqualTo(4);
    }

    @Test
    void emptyLinesCountAndAreNotTheLongest() {
        statistics.add(0, A);

        assertThat(statistics.longest()).isEqualTo(new Totals.Longest(0, null));
        assertThat(statistics.pieces()).isEqualTo(1);
    }

    @Test
    void anotherCpusAreAddedUp() {
        PieceStatistics other = new PieceStatistics();
        other.add(9, A);
        other.add(1, B);
        statistics.add(9, B);

        statistics.add(other);

        assertThat(statistics.longest()).isEqualTo(new Totals.Longest(9, A));
        assertThat(statistics.pieces()).isEqualTo(3);
    }
}
