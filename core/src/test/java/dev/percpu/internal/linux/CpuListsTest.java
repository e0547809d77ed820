package dev.percpu.internal.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The kernel's lists of CPUs. */
@Tag("once")
class CpuListsTest {
    @Test
    void readsIdsAndRanges() {
        assertThat(CpuLists.parse("0-3,8,10-11\n").stream()).containsExactly(0, 1, 2, 3, 8, 10, 11);
        assertThat(CpuLists.parse("5").stream()).containsExactly(5);
        assertThat(CpuLists.parse(" \n").isEmpty()).isTrue();
        assertThat(CpuLists.parse("0-1023").stream())
                .containsExactlyElementsOf(IntStream.range(0, 1024).boxed().toList());
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "1-", "-1", "3-1", "1-2-3", "1,,2", "1,", "99999999", "1;2"})
    void refusesWhatIsNoList(String list) {
        assertThatThrownBy(() -> CpuLists.parse(list))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(list);
    }
}
