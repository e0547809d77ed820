package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.backend.LinkedSequence;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.code.Catalogue;

/**
 * A stack for each CPU: a {@code long} with the number of items, followed by one {@code long} for each item. Items are
 * not negative.
 */
public interface Stacks {
    Stacks CURRENT = Backends.half(Stacks.class, Rseq::link, Atomic::create);

    /** How many bytes a stack with room for so many items takes. */
    static int bytes(int capacity) {
        return (capacity + 1) * Long.BYTES;
    }

    /**
     * Puts an item on the current CPU's stack, unless the stack is full or in use by another thread.
     *
     * @param item not negative
     * @return false if nothing was done
     */
    boolean push(long position, long item, long capacity);

    /**
     * Takes an item from the current CPU's stack.
     *
     * @return negative if the stack is empty or in use by another thread
     */
    long pop(long position);

    /**
     * Takes an item from a given CPU's stack; the thread must own that CPU's guard.
     *
     * @return negative if the stack is empty or in use by another thread
     */
    long popFrom(int cpu, long position);

    /** How many items a CPU's stack has; negative while a thread of the atomic half is working on it. */
    static long count(int cpu, long position) {
        return (long) Area.LONG.getVolatile(Area.MEMORY, Area.offset(cpu, position));
    }

    /** With sequences that check the guard word. So the owner of a CPU's guard has the CPU's stack to itself. */
    record Rseq(LinkedSequence pushItem, LinkedSequence popItem) implements Stacks {
        public static Rseq link(Sequences sequences) {
            return new Rseq(sequences.link(Catalogue.PUSH), sequences.link(Catalogue.POP));
        }

        @Override
        public boolean push(long position, long item, long capacity) {
            return pushItem.call(Area.BASE + position, item, capacity, 0) == Catalogue.DONE;
        }

        @Override
        public long pop(long position) {
            return popItem.call(Area.BASE + position, 0);
        }

        @Override
        public long popFrom(int cpu, long position) {
            long offset = Area.offset(cpu, position);
            long count = (long) Area.LONG.getOpaque(Area.MEMORY, offset);
            if (count == 0) {
                return Catalogue.NO_ITEM;
            }
            long item = (long) Area.LONG.get(Area.MEMORY, offset + count * Long.BYTES);
            Area.LONG.setOpaque(Area.MEMORY, offset, count - 1);
            return item;
        }
    }

    /**
     * With atomic instructions. While a thread works on a stack, it makes the count negative. Other threads do not
     * wait: they report that the stack is in use.
     *
     * <p>If a step fails in between, the thread puts the count back. Otherwise the stack would be in use for ever, its
     * items would be lost, and a thread that searches it would wait for ever. A step can fail although the one before
     * it did not, since it takes more of the stack. (It needs no heap: the JVM has linked each kind of access before.)
     */
    record Atomic(CurrentCpu cpu) implements Stacks {
        private static final long IN_USE = -1;

        static Atomic create() {
            // Links what a push and a pop call. Otherwise the first release of an object would do that.
            long stack = Area.offset(Area.SPARE, CpuHeader.REHEARSED_STACK);
            boolean _ = pushAt(stack, 0, 1);
            long _ = popAt(stack);
            return new Atomic(CurrentCpu.CURRENT);
        }

        @Override
        public boolean push(long position, long item, long capacity) {
            return pushAt(Area.offset(cpu.get(), position), item, capacity);
        }

        private static boolean pushAt(long offset, long item, long capacity) {
            long count = (long) Area.LONG.getVolatile(Area.MEMORY, offset);
            if (count < 0 || count >= capacity || !Area.LONG.compareAndSet(Area.MEMORY, offset, count, IN_USE)) {
                return false;
            }
            boolean pushed = false;
            try {
                Area.LONG.set(Area.MEMORY, offset + (count + 1) * Long.BYTES, item);
                Area.LONG.setRelease(Area.MEMORY, offset, count + 1);
                pushed = true;
            } finally {
                if (!pushed) {
                    // The same operation as above: it is linked by now, and needs no more stack than it did then.
                    boolean _ = Area.LONG.compareAndSet(Area.MEMORY, offset, IN_USE, count);
                }
            }
            return true;
        }

        @Override
        public long pop(long position) {
            return popFrom(cpu.get(), position);
        }

        @Override
        public long popFrom(int cpu, long position) {
            return popAt(Area.offset(cpu, position));
        }

        private static long popAt(long offset) {
            long count = (long) Area.LONG.getVolatile(Area.MEMORY, offset);
            if (count <= 0 || !Area.LONG.compareAndSet(Area.MEMORY, offset, count, IN_USE)) {
                return IN_USE;
            }
            long item;
            boolean popped = false;
            try {
                item = (long) Area.LONG.get(Area.MEMORY, offset + count * Long.BYTES);
                Area.LONG.setRelease(Area.MEMORY, offset, count - 1);
                popped = true;
            } finally {
                if (!popped) {
                    // As in push.
                    boolean _ = Area.LONG.compareAndSet(Area.MEMORY, offset, IN_USE, count);
                }
            }
            return item;
        }
    }
}
