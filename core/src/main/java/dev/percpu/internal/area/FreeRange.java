package dev.percpu.internal.area;

import org.jspecify.annotations.Nullable;

/**
 * A range of free positions, and the root of a tree of such ranges. The tree is a treap: it is ordered by the start,
 * and a range with a greater hash is above one with a smaller hash. It is immutable. Adding or removing a range returns
 * a new tree, which shares everything with the old one except the path to the range.
 *
 * <p>Each range stores, for each alignment, the most bytes that fit into any range of its subtree. So the lowest range
 * that fits is found on one path down, however fragmented the area is. A list of the ranges by size would not tell
 * which of them are aligned. The tree looks for the lowest range rather than the smallest, so that the area is used
 * from its start, and memory that was made usable once is used again.
 */
final class FreeRange {
    static final long LARGEST_ALIGNMENT = 4096;

    private static final int ALIGNMENTS = Long.numberOfTrailingZeros(LARGEST_ALIGNMENT) + 1;

    private final int start;
    private final int end;
    private final @Nullable FreeRange left;
    private final @Nullable FreeRange right;

    /** Indexed by the logarithm of the alignment. */
    private final int[] longest;

    private FreeRange(int start, int end, @Nullable FreeRange left, @Nullable FreeRange right) {
        this.start = start;
        this.end = end;
        this.left = left;
        this.right = right;
        int[] most = new int[ALIGNMENTS];
        for (int i = 0; i < ALIGNMENTS; i++) {
            int bytes = bytesFrom(1 << i);
            if (left != null) {
                bytes = Math.max(bytes, left.longest[i]);
            }
            if (right != null) {
                bytes = Math.max(bytes, right.longest[i]);
            }
            most[i] = bytes;
        }
        this.longest = most;
    }

    /** A tree of one range. */
    static FreeRange of(int start, int end) {
        return new FreeRange(start, end, null, null);
    }

    int start() {
        return start;
    }

    int end() {
        return end;
    }

    /** The first aligned position in the range; it can be beyond the end. */
    int aligned(long alignment) {
        return (int) ((start + alignment - 1) & -alignment);
    }

    /** The lowest range that the request fits into. */
    static @Nullable FreeRange lowest(@Nullable FreeRange root, int bytes, long alignment) {
        int log = Long.numberOfTrailingZeros(alignment);
        FreeRange range = root;
        while (range != null) {
            if (range.left != null && range.left.longest[log] >= bytes) {
                range = range.left;
            } else if (range.bytesFrom(alignment) >= bytes) {
                return range;
            } else {
                range = range.right;
            }
        }
        return null;
    }

    /** The last range that starts below a position. */
    static @Nullable FreeRange lastBelow(@Nullable FreeRange root, int position) {
        FreeRange last = null;
        for (FreeRange range = root; range != null; ) {
            if (range.start < position) {
                last = range;
                range = range.right;
            } else {
                range = range.left;
            }
        }
        return last;
    }

    /** Gives the memory of ranges back to the kernel: of all that have a whole page, and of some others. */
    static void discard(@Nullable FreeRange root, PositionAllocator.Memory memory) {
        if (root != null && root.longest[ALIGNMENTS - 1] > 0) {
            discard(root.left, memory);
            memory.discard(root.start, root.end);
            discard(root.right, memory);
        }
    }

    /** The tree with one more range, which must not overlap any of its ranges. */
    static FreeRange with(@Nullable FreeRange root, int start, int end) {
        if (root == null || rank(start) > rank(root.start)) {
            return new FreeRange(start, end, below(root, start), above(root, start));
        }
        return start < root.start
                ? root.withChildren(with(root.left, start, end), root.right)
                : root.withChildren(root.left, with(root.right, start, end));
    }

    /** The tree without the range that starts there; the tree must contain it. */
    static @Nullable FreeRange without(@Nullable FreeRange root, int start) {
        if (root == null) {
            throw new IllegalStateException("no free range starts at " + start);
        }
        if (start == root.start) {
            return join(root.left, root.right);
        }
        return start < root.start
                ? root.withChildren(without(root.left, start), root.right)
                : root.withChildren(root.left, without(root.right, start));
    }

    private static @Nullable FreeRange below(@Nullable FreeRange root, int position) {
        if (root == null) {
            return null;
        }
        return root.start < position
                ? root.withChildren(root.left, below(root.right, position))
                : below(root.left, position);
    }

    private static @Nullable FreeRange above(@Nullable FreeRange root, int position) {
        if (root == null) {
            return null;
        }
        return root.start > position
                ? root.withChildren(above(root.left, position), root.right)
                : above(root.right, position);
    }

    /** Joins two trees into one; all of the first must lie below all of the second. */
    private static @Nullable FreeRange join(@Nullable FreeRange low, @Nullable FreeRange high) {
        if (low == null) {
            return high;
        }
        if (high == null) {
            return low;
        }
        return rank(low.start) > rank(high.start)
                ? low.withChildren(low.left, join(low.right, high))
                : high.withChildren(join(low, high.left), high.right);
    }

    private FreeRange withChildren(@Nullable FreeRange newLeft, @Nullable FreeRange newRight) {
        return new FreeRange(start, end, newLeft, newRight);
    }

    private int bytesFrom(long alignment) {
        return end - aligned(alignment);
    }

    /** Stands in for a random number for each range: no two starts have the same one. */
    private static int rank(int start) {
        // Multiplications by odd numbers, and shifts that can be undone. With a single multiplication, starts at equal
        // distances would get ranks at equal distances, and the tree's shape would depend on the distance.
        int mixed = start * 0x9e3779b9;
        mixed ^= mixed >>> 15;
        mixed *= 0x2c1b3c6d;
        mixed ^= mixed >>> 12;
        mixed *= 0x297a2d39;
        return mixed ^ (mixed >>> 15);
    }
}
