package dev.percpu.internal.area;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** That a piece is zero afterwards, wherever it begins and ends, and that what lies around it is as before. */
class ClearingTest {
    /** What the kernel takes back at once. */
    private static final int PART = (int) Reservation.OPENED_AT_ONCE;

    private static final int PAGE = 4096;

    /** Some lie within a page or a part, some consist of whole ones, and some go a little beyond these. */
    @ParameterizedTest
    @ValueSource(ints = {0, 8, PAGE, PAGE + 8, PART - 8})
    void allOfThePieceIsZeroAndNothingElse(int start) {
        int[] sizes = {8, PAGE - 8, PAGE, 2 * PAGE + 8, PART, PART + 8, 2 * PART - 8, 2 * PART + PAGE};
        for (int size : sizes) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment memory = arena.allocate(4L * PART, PART).fill((byte) 1);
                Clearing.clear(memory.asSlice(start, size));
                byte[] expected = new byte[4 * PART];
                Arrays.fill(expected, (byte) 1);
                Arrays.fill(expected, start, start + size, (byte) 0);
                assertThat(memory.mismatch(MemorySegment.ofArray(expected)))
                        .as("the first wrong byte, with %d bytes from %d on", size, start)
                        .isNegative();
            }
        }
    }
}
