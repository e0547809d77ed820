package dev.percpu.internal.area;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.memory.AreaFullException;
import dev.percpu.testing.Effort;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Who has which positions, compared with a bit for each byte. */
class PositionAllocatorTest {
    private record Range(long position, int bytes) {}

    @Test
    void neverHandsOutAByteTwiceAndLosesNone() {
        for (long seed = 0; seed < Effort.scaled(20); seed++) {
            Random random = new Random(seed);
            int start = 64;
            int end = 4096;
            PositionAllocator allocator = new PositionAllocator(start, end);
            BitSet used = new BitSet();
            List<Range> ranges = new ArrayList<>();
            for (int step = 0; step < 5_000; step++) {
                if (random.nextInt(3) > 0) {
                    int bytes = 1 + random.nextInt(100);
                    int alignment = 1 << random.nextInt(7);
                    try {
                        long position = allocator.allocate(bytes, alignment, "seed " + seed);
                        assertThat(position % alignment).isZero();
                        assertThat(position).isBetween((long) start, (long) end - bytes);
                        int free = used.nextSetBit((int) position);
                        assertThat(free < 0 || free >= position + bytes).isTrue();
                        used.set((int) position, (int) position + bytes);
                        ranges.add(new Range(position, bytes));
                    } catch (AreaFullException full) {
                        assertThat(hasRoom(used, start, end, bytes, alignment)).isFalse();
                    }
                } else if (!ranges.isEmpty()) {
                    Range range = ranges.remove(random.nextInt(ranges.size()));
                    allocator.free(range.position(), range.bytes());
                    used.clear((int) range.position(), (int) range.position() + range.bytes());
                }
                assertThat(allocator.usedBytes()).isEqualTo(used.cardinality());
            }
            ranges.forEach(range -> allocator.free(range.position(), range.bytes()));
            assertThat(allocator.allocate(end - start, 1, "all that there is")).isEqualTo(start);
        }
    }

    @Test
    void longsLieSideBySide() {
        PositionAllocator allocator = new PositionAllocator(0, 1024);
        for (int i = 0; i < 128; i++) {
            assertThat(allocator.allocate(8, 8, "long")).isEqualTo(8L * i);
        }
        assertThatThrownBy(() -> allocator.allocate(1, 1, "one more"))
                .isInstanceOf(AreaFullException.class)
                .hasMessageContaining("one more")
                .hasMessageContaining("1024");
    }

    @Test
    void refusesWhatIsNoPiece() {
        PositionAllocator allocator = new PositionAllocator(0, 1024);
        assertThatThrownBy(() -> allocator.allocate(0, 8, "empty")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> allocator.allocate(8, 3, "odd")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> allocator.allocate(Long.MAX_VALUE, 8, "giant")).isInstanceOf(AreaFullException.class);
    }

    private static boolean hasRoom(BitSet used, int start, int end, int bytes, int alignment) {
        for (int position = (start + alignment - 1) & -alignment; position + bytes <= end; position += alignment) {
            int next = used.nextSetBit(position);
            if (next < 0 || next >= position + bytes) {
                return true;
            }
        }
        return false;
    }
}
