package dev.percpu.internal.area;

import java.lang.ref.Reference;
import org.jspecify.annotations.Nullable;

/**
 * A piece that its user will keep for good, once every step that can fail is done. Until the user calls {@link #keep},
 * the piece can be given back: {@link #close} does that. If even that fails, the piece is given back once the garbage
 * collector finds this object unreachable.
 */
public final class Claim implements AutoCloseable {
    private final Holdings holdings;

    /** Null until the piece is taken, and once this is closed. */
    private Holdings.@Nullable Holding holding;

    private final long position;

    Claim(Holdings holdings, long bytes, long alignment, String label) {
        this.holdings = holdings;
        Holdings.Holding taken = Area.hold(this, bytes, alignment, label);
        holding = taken;
        position = taken.position();
    }

    /** Where the piece lies in each CPU's place. */
    public long position() {
        return position;
    }

    /** Leaves the piece to its user for good: {@link #close} gives back nothing then. Nothing is allocated. */
    public void keep() {
        try {
            Holdings.Holding kept = holding;
            if (kept != null) {
                holdings.keep(kept);
            }
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Gives the piece back, unless it is kept. If that fails now, it is tried again later. */
    @Override
    public void close() {
        Holdings.Holding left = holding;
        holding = null;
        if (left != null) {
            holdings.giveBack(left);
        }
    }
}
