package dev.percpu.cpu;

import dev.percpu.internal.linux.Topology;
import java.util.BitSet;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;

/**
 * A set of CPUs, modelled on the kernel's {@code cpumask}.
 *
 * <p>A mask has {@link #capacity()} bits, enough for all CPUs that this system can ever have; a CPU's id is the index
 * of its bit. Masks are mutable. While one thread changes a mask, no other thread may use it. The methods that return
 * one of the system's masks return a new copy each time.
 *
 * <p>An {@link #iterator()} returns the CPUs in ascending order of their ids and is <em>fused</em>: once it has
 * reported that there is no next CPU, it keeps reporting that, even if a CPU is set afterwards. It sees changes to ids
 * that it has not reached yet.
 */
public final class CpuMask implements Iterable<CpuId> {
    private final BitSet bits;

    CpuMask(BitSet bits) {
        this.bits = bits;
    }

    /** A mask with no CPU set. */
    public static CpuMask none() {
        return new CpuMask(new BitSet(capacity()));
    }

    /**
     * A mask with the given CPUs set.
     *
     * @throws IndexOutOfBoundsException if an id is negative or not below {@link #capacity()}
     */
    public static CpuMask of(int... ids) {
        CpuMask mask = none();
        for (int id : ids) {
            mask.set(CpuId.of(id));
        }
        return mask;
    }

    /** The CPUs that this system could ever have: the kernel's {@code cpu_possible_mask}, fixed at boot. */
    public static CpuMask possible() {
        return new CpuMask(Topology.possible());
    }

    /** The CPUs that are plugged in now: the kernel's {@code cpu_present_mask}, read anew on each call. */
    public static CpuMask present() {
        return new CpuMask(Topology.present());
    }

    /** The CPUs that the scheduler uses now: the kernel's {@code cpu_online_mask}, read anew on each call. */
    public static CpuMask online() {
        return new CpuMask(Topology.online());
    }

    /**
     * The CPUs that this process may run on, according to its affinity and its cpuset, read anew on each call. A thread
     * can have a narrower affinity of its own; this method reads the main thread's.
     */
    public static CpuMask allowed() {
        return new CpuMask(Topology.allowed());
    }

    /** The CPUs that this process may run on and that are online, read anew on each call; never empty. */
    public static CpuMask usable() {
        return new CpuMask(Topology.usable());
    }

    /** How many CPUs a mask has room for: the highest possible CPU id plus one, the kernel's {@code nr_cpu_ids}. */
    public static int capacity() {
        return Topology.capacity();
    }

    /** Adds a CPU. */
    public void set(CpuId cpu) {
        bits.set(cpu.id());
    }

    /** Removes a CPU. */
    public void clear(CpuId cpu) {
        bits.clear(cpu.id());
    }

    /** Whether the CPU is in this set. */
    public boolean test(CpuId cpu) {
        return bits.get(cpu.id());
    }

    /** Sets every bit of the mask, including the bits of ids that belong to no possible CPU. */
    public void setAll() {
        bits.set(0, capacity());
    }

    /** Clears every bit of the mask. */
    public void clearAll() {
        bits.clear();
    }

    /** Whether no bit of the mask is set. */
    public boolean isEmpty() {
        return bits.isEmpty();
    }

    /** Whether every bit of the mask is set. */
    public boolean isFull() {
        return weight() == capacity();
    }

    /** How many CPUs are set. */
    public int weight() {
        return bits.cardinality();
    }

    /** An independent copy of this mask. */
    public CpuMask copy() {
        return new CpuMask((BitSet) bits.clone());
    }

    /** Makes this mask equal to {@code other}. */
    public void copyFrom(CpuMask other) {
        bits.and(other.bits);
        bits.or(other.bits);
    }

    /** The ids of the CPUs that are set, ascending. */
    public IntStream ids() {
        return StreamSupport.stream(spliterator(), false).mapToInt(CpuId::id);
    }

    @Override
    public Iterator<CpuId> iterator() {
        return new Iterator<>() {
            private int from;

            @Override
            public boolean hasNext() {
                return from >= 0 && settle() >= 0;
            }

            @Override
            public CpuId next() {
                int id = from < 0 ? -1 : settle();
                if (id < 0) {
                    throw new NoSuchElementException("the mask has no further CPU");
                }
                from = id + 1;
                return CpuId.of(id);
            }

            // The next id, or -1 if there is none; after that it is always -1.
            private int settle() {
                int id = bits.nextSetBit(from);
                if (id < 0) {
                    from = -1;
                }
                return id;
            }
        };
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CpuMask mask && bits.equals(mask.bits);
    }

    @Override
    public int hashCode() {
        return bits.hashCode();
    }

    /** The mask in the kernel's list format, such as {@code 0-3,8}. */
    @Override
    public String toString() {
        // No stream: if the heap is full when the JVM links a lambda, it can stay unusable for ever.
        StringBuilder list = new StringBuilder();
        for (int first = bits.nextSetBit(0); first >= 0; ) {
            int end = bits.nextClearBit(first);
            list.append(list.isEmpty() ? "" : ",").append(first);
            if (end - first > 1) {
                list.append('-').append(end - 1);
            }
            first = bits.nextSetBit(end);
        }
        return list.toString();
    }
}
