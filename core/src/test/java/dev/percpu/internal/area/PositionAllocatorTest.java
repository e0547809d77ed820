package dev.percpu.internal.area;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.memory.AreaFullException;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Workers;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Who has which positions, compared with a bit for each byte; and when free memory goes back to the kernel.
 *
 * <p>This file is longer than others: what goes back depends on which ranges are free, so the tests of both share all
 * their parts.
 */
@Tag("once")
class PositionAllocatorTest {
    private static final int PAGE = 4096;

    /** All of it can be used from the start. */
    private static class Open implements PositionAllocator.Memory {
        @Override
        public boolean open(long end) {
            return true;
        }

        @Override
        public AreaFullException noMemory(long bytes, String label) {
            return new AreaFullException(label + " of " + bytes);
        }

        @Override
        public void discard(long start, long end) {}
    }

    private record Range(long position, int bytes) {}

    @Test
    void neverHandsOutAByteTwiceAndLosesNone() {
        for (long seed = 0; seed < Effort.scaled(20); seed++) {
            Random random = new Random(seed);
            int start = 64;
            int end = 4096;
            PositionAllocator allocator = new PositionAllocator(start, end, new Open());
            BitSet used = new BitSet();
            List<Range> ranges = new ArrayList<>();
            for (int step = 0; step < 5_000; step++) {
                if (random.nextInt(3) > 0) {
                    int bytes = 1 + random.nextInt(100);
                    int alignment = 1 << random.nextInt(13);
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
                assertThat(allocator.freeBytes()).isEqualTo(end - start - used.cardinality());
            }
            ranges.forEach(range -> allocator.free(range.position(), range.bytes()));
            assertThat(allocator.allocate(end - start, 1, "all that there is")).isEqualTo(start);
        }
    }

    /** The JVM may load the exception's class, which runs a user's code. What that waits for may wait for the lock. */
    @Test
    void theExceptionIsMadeWithoutTheLock() {
        PositionAllocator[] allocator = new PositionAllocator[1];
        allocator[0] = new PositionAllocator(0, PAGE, new Open() {
            @Override
            public boolean open(long end) {
                return false;
            }

            @Override
            public AreaFullException noMemory(long bytes, String label) {
                assertThat(Thread.holdsLock(allocator[0])).isFalse();
                return super.noMemory(bytes, label);
            }
        });
        assertThatThrownBy(() -> allocator[0].allocate(8, 8, "a long")).hasMessage("a long of 8");
    }

    @Test
    void discardsAllPagesThatAreFreeAndNoOthers() {
        for (long seed = 0; seed < Effort.scaled(20); seed++) {
            Random random = new Random(seed);
            BitSet discarded = new BitSet();
            int end = 16 * PAGE;
            PositionAllocator allocator = new PositionAllocator(0, end, new Open() {
                @Override
                public void discard(long start, long end) {
                    discarded.set((int) start, (int) end);
                }
            });
            BitSet used = new BitSet();
            List<Range> ranges = new ArrayList<>();
            for (int step = 0; step < 200; step++) {
                if (random.nextBoolean()) {
                    // Multiples of a quarter of a page, so that a range often is one page and nothing else.
                    int bytes = (1 + random.nextInt(4)) * PAGE / 4;
                    if (hasRoom(used, 0, end, bytes, 1)) {
                        long position = allocator.allocate(bytes, 1, "seed " + seed);
                        used.set((int) position, (int) position + bytes);
                        ranges.add(new Range(position, bytes));
                    }
                } else if (!ranges.isEmpty()) {
                    Range range = ranges.remove(random.nextInt(ranges.size()));
                    allocator.free(range.position(), range.bytes());
                    used.clear((int) range.position(), (int) range.position() + range.bytes());
                }
                discarded.clear();
                allocator.discardFree(0);
                assertThat(discarded.intersects(used)).isFalse();
                for (int page = 0; page < end; page += PAGE) {
                    int next = used.nextSetBit(page);
                    if (next < 0 || next >= page + PAGE) {
                        assertThat(discarded.nextClearBit(page)).isGreaterThanOrEqualTo(page + PAGE);
                    }
                }
            }
        }
    }

    @Test
    void discardsOnlyOnceEnoughWasFreed() {
        List<Range> discarded = new ArrayList<>();
        PositionAllocator allocator = new PositionAllocator(0, 4 * PAGE, new Open() {
            @Override
            public void discard(long start, long end) {
                discarded.add(new Range(start, (int) (end - start)));
            }
        });
        for (int i = 0; i < 2; i++) {
            discarded.clear();
            allocator.allocate(PAGE, 1, "first");
            allocator.allocate(PAGE, 1, "second");
            allocator.free(0, PAGE);
            allocator.discardFree(2 * PAGE);
            assertThat(discarded).isEmpty();
            allocator.free(PAGE, PAGE);
            allocator.discardFree(2 * PAGE);
            assertThat(discarded).containsExactly(new Range(0, 4 * PAGE));
            allocator.discardFree(2 * PAGE);
            assertThat(discarded).hasSize(1);
        }
    }

    /** So that a search for what can go back is quick however many small ranges there are. */
    @Test
    void rangesWithoutAPageAreNotLookedAt() {
        List<Range> discarded = new ArrayList<>();
        PositionAllocator allocator = new PositionAllocator(0, PAGE, new Open() {
            @Override
            public void discard(long start, long end) {
                discarded.add(new Range(start, (int) (end - start)));
            }
        });
        for (int position = 0; position < PAGE; position += 8) {
            allocator.allocate(8, 8, "counter");
        }
        for (int position = 8; position < PAGE; position += 16) {
            allocator.free(position, 8);
        }
        allocator.discardFree(0);
        assertThat(discarded).isEmpty();
    }

    @Test
    void threadsThatAllocateAtATimeGetDifferentRanges() throws InterruptedException {
        int end = PAGE;
        PositionAllocator allocator = new PositionAllocator(0, end, new Open());
        AtomicIntegerArray users = new AtomicIntegerArray(end / 8);
        Workers.run("allocates-", 4, _ -> {
            for (int i = 0; i < Effort.scaled(100_000); i++) {
                long position = allocator.allocate(8, 8, "number");
                assertThat(users.incrementAndGet((int) position / 8)).isEqualTo(1);
                users.decrementAndGet((int) position / 8);
                allocator.free(position, 8);
            }
        });
        assertThat(allocator.usedBytes()).isZero();
        assertThat(allocator.allocate(end, 1, "all that there is")).isZero();
    }

    /**
     * With ranks at equal distances, a tree of ranges at this distance would be a list in long parts: then it would be
     * too deep for the stack. The distance is a Fibonacci number, and the ranks are multiples of the golden ratio.
     */
    @Test
    void rangesAtEqualDistancesMakeNoDeepTree() {
        int distance = 17_711;
        int ranges = 60_000;
        PositionAllocator allocator = new PositionAllocator(0, (long) distance * ranges, new Open());
        for (int i = 0; i < ranges; i++) {
            allocator.allocate(distance - 1, 1, "stays");
            allocator.allocate(1, 1, "goes");
        }
        for (int i = 1; i <= ranges; i++) {
            allocator.free((long) distance * i - 1, 1);
        }
        assertThat(allocator.freeBytes()).isEqualTo(ranges);
    }

    @Test
    void longsLieSideBySide() {
        PositionAllocator allocator = new PositionAllocator(0, 1024, new Open());
        for (int i = 0; i < 128; i++) {
            assertThat(allocator.allocate(8, 8, "long")).isEqualTo(8L * i);
        }
        assertThatThrownBy(() -> allocator.allocate(1, 1, "one more"))
                .isInstanceOf(AreaFullException.class)
                .hasMessageContainingAll("one more", "1024", "close or drop what is no longer needed");
    }

    @Test
    void refusesWhatIsNoPiece() {
        PositionAllocator allocator = new PositionAllocator(0, 1024, new Open());
        assertThatThrownBy(() -> allocator.allocate(0, 8, "empty"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("empty: the size must be at least 1 byte, not 0");
        assertThatThrownBy(() -> allocator.allocate(8, 3, "odd"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("odd: the alignment must be a power of two, not 3");
        // It has one bit, too.
        assertThatThrownBy(() -> allocator.allocate(8, Long.MIN_VALUE, "negative"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("negative: the alignment must be a power of two");
        assertThatThrownBy(() -> allocator.allocate(8, 8192, "page"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("page: the alignment must be at most 4096 bytes, not 8192");
        assertThatThrownBy(() -> allocator.allocate(Long.MAX_VALUE, 8, "giant")).isInstanceOf(AreaFullException.class);
    }

    /** A search through the ranges that are too small would take half an hour here. */
    @Test
    void findsRoomAtOnceHoweverFragmentedItIs() {
        int counters = Effort.scaled(1_500_000);
        int larger = Effort.scaled(50_000);
        PositionAllocator allocator = new PositionAllocator(0, 8L * counters + 64L * larger, new Open());
        for (int i = 0; i < counters; i++) {
            allocator.allocate(8, 8, "counter");
        }
        Random random = new Random(1);
        for (int i = 0; i < counters; i++) {
            if (random.nextBoolean()) {
                allocator.free(8L * i, 8);
            }
        }
        long used = allocator.usedBytes();
        for (int i = 0; i < larger; i++) {
            allocator.allocate(64, 64, "a larger one");
        }
        assertThat(allocator.usedBytes()).isEqualTo(used + 64L * larger);
        for (int i = 0; i < larger; i++) {
            assertThatThrownBy(() -> allocator.allocate(64L * larger, 4096, "none"))
                    .isInstanceOf(AreaFullException.class);
        }
    }

    @Test
    void whatFailsOnTheWayChangesNothing() {
        AtomicBoolean refused = new AtomicBoolean(true);
        PositionAllocator allocator = new PositionAllocator(0, 4096, new Open() {
            @Override
            public boolean open(long end) {
                return !refused.get() || end <= 1024;
            }
        });
        assertThat(allocator.allocate(1000, 8, "first")).isZero();
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> allocator.allocate(100, 8, "second")).hasMessage("second of 100");
            assertThat(allocator.usedBytes()).isEqualTo(1000);
        }
        assertThat(allocator.allocate(24, 8, "third")).isEqualTo(1000);
        refused.set(false);
        assertThat(allocator.allocate(100, 8, "second")).isEqualTo(1024);
    }

    /** At whatever depth it happens: nothing is lost, and nothing is handed out twice. */
    @Test
    void aStackOverflowChangesNothing() {
        PositionAllocator allocator = new PositionAllocator(0, 1 << 20, new Open());
        BitSet used = new BitSet();
        for (int i = 0; i < 10_000; i++) {
            used.set((int) allocator.allocate(8, 8, "counter") / 8);
        }
        for (int i = 0; i < 10_000; i += 2) {
            allocator.free(8L * i, 8);
            used.clear(i);
        }
        Deep deep = new Deep(allocator);
        for (int i = 0; i < Effort.scaled(200); i++) {
            deep.overflow();
            for (; deep.allocated > 0; deep.allocated--) {
                used.set((int) deep.positions[deep.allocated - 1] / 8);
            }
            assertThat(allocator.usedBytes()).isEqualTo(8L * used.cardinality());
        }
        assertThat(deep.overflows).isPositive();
        for (int next = used.nextClearBit(0); next < (1 << 20) / 8; next = used.nextClearBit(next)) {
            assertThat(allocator.allocate(8, 8, "counter")).isEqualTo(8L * next);
            used.set(next);
        }
        assertThatThrownBy(() -> allocator.allocate(1, 1, "one more")).isInstanceOf(AreaFullException.class);
    }

    /** Goes down to the end of the stack, and allocates at each depth near there. */
    private static final class Deep {
        private static final int ATTEMPTS = 40;

        private final PositionAllocator allocator;
        private final long[] positions = new long[ATTEMPTS];
        private int allocated;
        private int overflows;
        private int attempts;

        private Deep(PositionAllocator allocator) {
            this.allocator = allocator;
        }

        /** Each caller of the one that overflows tries, the next with a little more of the stack. */
        @SuppressWarnings("InfiniteRecursion") // that is what it is for
        private void overflow() {
            try {
                overflow();
            } catch (StackOverflowError e) {
                attempts = 0;
            }
            if (attempts < ATTEMPTS) {
                attempts++;
                try {
                    long position = allocator.allocate(8, 8, "counter");
                    // No calls: whatever is allocated is noted.
                    positions[allocated] = position;
                    allocated++;
                } catch (StackOverflowError e) {
                    overflows++;
                }
            }
        }
    }

    @Test
    void theMessageNamesAnAreaThatWouldDo() {
        PositionAllocator allocator = new PositionAllocator(128, 1 << 16, new Open());
        allocator.allocate(60_000, 8, "first");
        assertThatThrownBy(() -> allocator.allocate(6_000, 8, "second"))
                .hasMessageContaining("second needs 6000 bytes")
                .hasMessageEndingWith("enlarge the area with -Dpercpu.area.stride=128k");
        assertThatThrownBy(() -> allocator.allocate(600_000_000, 8, "third"))
                .hasMessageEndingWith("enlarge the area with -Dpercpu.area.stride=1g");
        assertThatThrownBy(() -> allocator.allocate(Long.MAX_VALUE, 8, "fourth"))
                .hasMessageContaining("they would not fit even with -Dpercpu.area.stride=1g");
        allocator.free(128, 59_992);
        // What is free lies below what is in use, so it is no use.
        assertThatThrownBy(() -> allocator.allocate(61_000, 8, "fifth"))
                .hasMessageEndingWith("percpu.area.stride=128k");
    }

    /** What is free at the end of this area goes on in a larger one. */
    @Test
    void theMessageNamesTheSmallestAreaThatWouldDo() {
        int used = 60_000;
        int twice = 1 << 17;
        PositionAllocator allocator = new PositionAllocator(0, 1 << 16, new Open());
        allocator.allocate(used, 8, "first");
        assertThatThrownBy(() -> allocator.allocate(twice - used, 8, "it fits exactly"))
                .hasMessageEndingWith("percpu.area.stride=128k");
        assertThatThrownBy(() -> allocator.allocate(twice - used, 4096, "it begins further behind"))
                .hasMessageEndingWith("percpu.area.stride=256k");
        allocator.allocate((1 << 16) - used, 8, "the rest");
        allocator.free(0, used);
        assertThatThrownBy(() -> allocator.allocate(twice - used, 8, "no free memory goes on"))
                .hasMessageEndingWith("percpu.area.stride=256k");
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
