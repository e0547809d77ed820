package dev.percpu.internal.backend;

import dev.percpu.internal.area.Area;

/**
 * A stack in the area that several threads use at a time. Its first word is how many items there are; while a thread is
 * at work it is negative, and the others do not wait but find the stack in use.
 */
final class AtomicStack {
    private static final long IN_USE = -1;

    private AtomicStack() {}

    static boolean push(long offset, long item, long capacity) {
        long count = (long) Area.LONG.getVolatile(Area.MEMORY, offset);
        if (count < 0 || count >= capacity || !Area.LONG.compareAndSet(Area.MEMORY, offset, count, IN_USE)) {
            return false;
        }
        Area.LONG.set(Area.MEMORY, offset + (count + 1) * Long.BYTES, item);
        Area.LONG.setRelease(Area.MEMORY, offset, count + 1);
        return true;
    }

    static long pop(long offset) {
        long count = (long) Area.LONG.getVolatile(Area.MEMORY, offset);
        if (count <= 0 || !Area.LONG.compareAndSet(Area.MEMORY, offset, count, IN_USE)) {
            return IN_USE;
        }
        long item = (long) Area.LONG.get(Area.MEMORY, offset + count * Long.BYTES);
        Area.LONG.setRelease(Area.MEMORY, offset, count - 1);
        return item;
    }
}
