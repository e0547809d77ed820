package dev.percpu.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
class TotalsTest {
    /** Others have all totals by so much more. */
    private static Totals totals(long more) {
        List<Long> frequency = new ArrayList<>(Collections.nCopies(Totals.BYTE_VALUES, 0L));
        frequency.set('\t', 2 + more);
        return new Totals(
                1 + more, 20 + more, 3 + more, 4 + more, new Totals.Longest(8 + more, Path.of("a")), frequency);
    }

    @Test
    void equalTotalsDoNotDiffer() {
        assertThat(totals(0).differencesFrom(totals(0))).isEmpty();
    }

    @Test
    void eachDifferenceIsNamed() {
        assertThat(totals(0).differencesFrom(totals(1)))
                .containsExactly(
                        "files: counted per CPU 1, in a single thread 2",
                        "bytes: counted per CPU 20, in a single thread 21",
                        "lines: counted per CPU 3, in a single thread 4",
                        "lines counted under guards: counted per CPU 4, in a single thread 5",
                        "longest line: counted per CPU 8 bytes in a, in a single thread 9 bytes in a",
                        "bytes 0x09: counted per CPU 2, in a single thread 3");
    }
}
