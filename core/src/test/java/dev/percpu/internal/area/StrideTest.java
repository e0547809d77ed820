package dev.percpu.internal.area;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the property can say. */
@Tag("once")
class StrideTest {
    @Test
    void takesBytesAndSuffixes() {
        assertThat(Stride.parse("65536")).isEqualTo(65536);
        assertThat(Stride.parse("64k")).isEqualTo(65536);
        assertThat(Stride.parse("64m")).isEqualTo(64 << 20);
        assertThat(Stride.parse(" 64M ")).isEqualTo(64 << 20);
        assertThat(Stride.parse("1g")).isEqualTo(1 << 30);
        assertThat(Stride.parse("1048576k")).isEqualTo(1 << 30);
    }

    @Test
    void refusesTheRestAndSaysWhatItTakes() {
        for (String text : new String[] {
            "", "m", "64mb", "64 m", "3m", "0", "0k", "-1m", "2g", "128", "9999999999g", "17179869185g", "ten"
        }) {
            assertThatThrownBy(() -> Stride.parse(text))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("percpu.area.stride")
                    .hasMessageContaining("from 256 to 1g")
                    .hasMessageContaining("not '" + text + "'");
        }
    }

    @Test
    void writesWhatItReads() {
        for (long stride = Stride.SMALLEST; stride <= Stride.LARGEST; stride *= 2) {
            assertThat(Stride.parse(Stride.format(stride))).isEqualTo(stride);
        }
        assertThat(Stride.format(512)).isEqualTo("512");
        assertThat(Stride.format(1 << 10)).isEqualTo("1k");
        assertThat(Stride.format(512 << 20)).isEqualTo("512m");
    }

    @Test
    void advisesTheSmallestThatIsLargeEnough() {
        assertThat(Stride.adviceFor(1)).endsWith("percpu.area.stride=256");
        assertThat(Stride.adviceFor((1 << 20) + 1)).endsWith("percpu.area.stride=2m");
        assertThat(Stride.adviceFor(Stride.LARGEST)).endsWith("percpu.area.stride=1g");
        assertThat(Stride.adviceFor(Stride.LARGEST + 1)).startsWith("use fewer or smaller variables");
    }

    @Test
    void allPlacesTogetherLeaveMostOfALimitToTheJvm() {
        for (long limit = 1L << 28; limit <= 1L << 40; limit *= 2) {
            for (int places = 4; places <= 64; places *= 2) {
                long stride = Stride.ifLimited(Stride.LARGEST, limit, places);
                assertThat(stride * places)
                        .as("of %d, with %d places", limit, places)
                        .isLessThanOrEqualTo(Math.max(limit / 4, Reservation.LEAST_SHRUNK * places));
            }
        }
        assertThat(Stride.ifLimited(Stride.LARGEST, Long.MAX_VALUE, 20)).isEqualTo(Stride.LARGEST);
        assertThat(Stride.ifLimited(Stride.LARGEST, 1L << 40, 64)).isEqualTo(Stride.LARGEST);
        assertThat(Stride.ifLimited(Stride.LARGEST, 2L << 30, 20)).isEqualTo(16 << 20);
        assertThat(Stride.ifLimited(Stride.LARGEST, 1L << 30, 20)).isEqualTo(8 << 20);
        assertThat(Stride.ifLimited(Stride.LARGEST, 1L << 28, 20)).isEqualTo(2 << 20);
        assertThat(Stride.ifLimited(Stride.LARGEST, 1L << 28, 1_000)).isEqualTo(1 << 20);
    }

    @Test
    void theRoomBesideTheAreaIsAShareOfALimitUpToASize() {
        assertThat(Stride.roomIfLimited(Long.MAX_VALUE)).isZero();
        assertThat(Stride.roomIfLimited(1L << 30)).isEqualTo(1 << 27);
        assertThat(Stride.roomIfLimited(1L << 40)).isEqualTo(1 << 28);
    }
}
