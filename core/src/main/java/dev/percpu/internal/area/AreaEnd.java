package dev.percpu.internal.area;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.percpu.internal.linux.Linux;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/**
 * What happens to the area once the class loader of this library has been collected: it is unmapped, except for the
 * pages that C code uses. Then no class of this library is left, so all of it is made of JDK code, in advance.
 *
 * <p>C code keeps its instances, and the guard words. First each C library is told that it has them alone from then on:
 * no thread of Java owns a guard of this area any more, and another copy of this library can have the variables.
 */
final class AreaEnd {
    private static final MethodHandle COMPARE_AND_SET =
            JAVA_LONG.varHandle().toMethodHandle(VarHandle.AccessMode.COMPARE_AND_SET);

    private final MemorySegment memory;
    private final long stride;
    private final int places;

    /** Guarded by this object's lock. */
    private final List<Lent> lent = new ArrayList<>();

    private final AtomicReference<MethodHandle> action = new AtomicReference<>(DetachedThread.nothing());

    /** No record: the JDK would keep what compares two of them, and with it the class loader. */
    private static final class Lent {
        private final long position;
        private final long bytes;
        private final MemorySegment lender;

        Lent(long position, long bytes, MemorySegment lender) {
            this.position = position;
            this.bytes = bytes;
            this.lender = lender;
        }
    }

    /** @param places how many places C code can use, from CPU 0's on */
    AreaEnd(MemorySegment memory, long stride, int places) {
        this.memory = memory;
        this.stride = stride;
        this.places = places;
        update();
    }

    /**
     * Keeps a piece for a C library.
     *
     * @param lender where the library stores the address of this area as long as it has the piece from here
     * @return takes the piece back
     */
    Runnable lend(long position, long bytes, MemorySegment lender) {
        Lent piece = new Lent(position, bytes, lender);
        change(() -> lent.add(piece));
        return () -> change(() -> lent.remove(piece));
    }

    /** What to do at the end. It can change until then. */
    MethodHandle action() {
        return DetachedThread.later(action);
    }

    private synchronized void change(Runnable change) {
        change.run();
        update();
    }

    private synchronized void update() {
        MethodHandle next = unmapping(unused());
        for (Lent piece : lent) {
            // A library may have its variables elsewhere by then, or may have refused them: then this changes nothing.
            MethodHandle end =
                    MethodHandles.insertArguments(COMPARE_AND_SET, 0, piece.lender, 0L, memory.address(), 0L);
            next = MethodHandles.foldArguments(next, end.asType(MethodType.methodType(void.class)));
        }
        action.set(next);
    }

    private static MethodHandle unmapping(List<MemorySegment> parts) {
        try {
            MethodHandle address = MethodHandles.publicLookup()
                    .findVirtual(MemorySegment.class, "address", MethodType.methodType(long.class));
            MethodHandle size = MethodHandles.publicLookup()
                    .findVirtual(MemorySegment.class, "byteSize", MethodType.methodType(long.class));
            // (part) -> munmap(part.address(), part.byteSize())
            MethodHandle one = MethodHandles.permuteArguments(
                    MethodHandles.filterArguments(Linux.unmapping(), 0, address, size),
                    MethodType.methodType(void.class, MemorySegment.class),
                    0,
                    0);
            return MethodHandles.iteratedLoop(null, null, one).bindTo(List.copyOf(parts));
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("the JDK's classes have other methods", e);
        }
    }

    /** All of the area except for the pages that C code uses. */
    private List<MemorySegment> unused() {
        List<MemorySegment> parts = new ArrayList<>();
        long end = 0;
        for (int place = 0; place < places && !lent.isEmpty(); place++) {
            end = addGap(parts, end, place * stride, CpuHeader.SIZE);
            for (Lent piece : sorted()) {
                end = addGap(parts, end, place * stride + piece.position, piece.bytes);
            }
        }
        addGap(parts, end, memory.byteSize(), 0);
        return parts;
    }

    private List<Lent> sorted() {
        return lent.stream()
                .sorted(Comparator.comparingLong(piece -> piece.position))
                .toList();
    }

    /** Adds what lies between the used part before and the next one; returns where that one ends. */
    private long addGap(List<MemorySegment> parts, long end, long nextUsed, long bytes) {
        long start = Math.max(end, nextUsed & -Reservation.OPENED_AT_ONCE);
        if (start > end) {
            parts.add(MemorySegment.ofAddress(memory.address() + end).reinterpret(start - end));
        }
        return Math.max(start, (nextUsed + bytes + Reservation.OPENED_AT_ONCE - 1) & -Reservation.OPENED_AT_ONCE);
    }
}
