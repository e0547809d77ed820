package dev.percpu.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.CpuHeader;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The words that classes use when they are initialized are as many as each of them needs. */
@Tag("once")
class CpuHeaderTest {
    @Test
    void noTwoUsesOverlap() {
        assertThat(CpuHeader.REHEARSED_SUM - CpuHeader.REHEARSED_GATE).isEqualTo(Long.BYTES);
        assertThat(CpuHeader.REHEARSED_TALLY - CpuHeader.REHEARSED_SUM).isEqualTo(GatedSums.BYTES + Long.BYTES);
        assertThat(CpuHeader.REHEARSED_SLOT - CpuHeader.REHEARSED_TALLY).isEqualTo(Tally.BYTES);
        assertThat(CpuHeader.REHEARSED_OWN_NUMBER - CpuHeader.REHEARSED_SLOT).isEqualTo(Long.BYTES);
        assertThat(CpuHeader.REHEARSED_STACK - CpuHeader.REHEARSED_OWN_NUMBER).isEqualTo(Long.BYTES);
        assertThat(CpuHeader.END - CpuHeader.REHEARSED_STACK).isEqualTo(Stacks.bytes(1));
        assertThat(CpuHeader.END).isLessThanOrEqualTo(CpuHeader.SIZE);
    }
}
