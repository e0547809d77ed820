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
    private static Totals totals(long files, long longest, String file, long tabs) {
        List<Long> frequency = new ArrayList<>(Collections.nCopies(Totals.BYTE_VALUES, 0L));
        frequency.set('\t', tabs);
        return new Totals(files, 20, 3, 4, new Totals.Longest(longest, Path.of(file)), frequency);
    }

    @Test
    void equalTotalsDoNotDiffer() {
        assertThat(totals(1, 8, "a", 2).differencesFrom(totals(1, 8, "a", 2))).isEmpty();
    }

    @Test
    void eachDifferenceIsNamed() {
        assertThat(totals(1, 8, "a", 2).differencesFrom(totals(2, 9, "b", 3)))
                .containsExactly(
                        "files: counted per CPU 1, in a single thread 2",
                        "longest line: counted per CPU 8 bytes in a, in a single thread 9 bytes in b",
                        "bytes 0x09: counted per CPU 2, in a single thread 3");
    }
}
