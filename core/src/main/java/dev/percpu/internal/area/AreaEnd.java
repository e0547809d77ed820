package dev.percpu.internal.area;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.percpu.internal.linux.Linux;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.util.ArrayList;
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
    private final MemorySegment memory;
    private final long stride;
    private final int places;

    /** In the order of their positions. Guarded by this object's lock. */
    private final List<Lent> lent = new ArrayList<>();

    /** For each lent piece, where its library stores the address of the area. The action reads this at the end. */
    private final List<MemorySegment> lenders = new ArrayList<>();

    /** What to unmap. The action reads it at the end. */
    private final AtomicReference<List<MemorySegment>> unused;

    /**
     * Running it takes the piece back.
     *
     * <p>Not a record: the JDK would keep the code that compares two of them, and with it the class loader.
     */
    private final class Lent implements Runnable {
        private final long position;
        private final long bytes;
        private final MemorySegment lender;

        Lent(long position, long bytes, MemorySegment lender) {
            this.position = position;
            this.bytes = bytes;
            this.lender = lender;
        }

        @Override
        public void run() {
            takeBack(this);
        }
    }

    /** @param places how many places C code can use, from CPU 0's on */
    AreaEnd(MemorySegment memory, long stride, int places) {
        this.memory = memory;
        this.stride = stride;
        this.places = places;
        unused = new AtomicReference<>(List.of(memory));
    }

    /*
     * No lambda and no stream in this class. If the heap is full when the JVM links a lambda, the JDK can turn the
     * OutOfMemoryError into a LinkageError. The JVM throws that error again at every later call, however much memory
     * there is by then. So no C library could ever get a piece. A stream also initializes classes of the JDK.
     */

    /**
     * Keeps a piece for a C library. If this throws, nothing is kept.
     *
     * @param lender where the library stores the address of this area as long as it has the piece from here
     * @return takes the piece back. If that throws, it is done all the same, but the piece stays mapped at the end
     */
    Runnable lend(long position, long bytes, MemorySegment lender) {
        Lent piece = new Lent(position, bytes, lender);
        keep(piece);
        return piece;
    }

    private synchronized void keep(Lent piece) {
        boolean kept = false;
        lent.add(indexOf(piece), piece);
        try {
            List<MemorySegment> parts = unused();
            lenders.add(piece.lender);
            // Nothing fails from here on.
            unused.set(parts);
            kept = true;
        } finally {
            if (!kept) {
                lent.remove(piece);
            }
        }
    }

    /** Where a piece belongs among those that are lent. */
    private int indexOf(Lent piece) {
        int index = 0;
        while (index < lent.size() && lent.get(index).position < piece.position) {
            index++;
        }
        return index;
    }

    /** How many pieces stay mapped at the end. */
    synchronized int pieces() {
        return lent.size();
    }

    private synchronized void takeBack(Lent piece) {
        // These two allocate nothing. The library may be unloaded soon, and nobody may write there then.
        if (lent.remove(piece)) {
            lenders.remove(piece.lender);
        }
        unused.set(unused());
    }

    /** Composes what to do at the end. What is lent and taken back later counts too. */
    MethodHandle action() {
        rehearse();
        return action(memory.address(), lenders, unused);
    }

    /**
     * The first run of such a handle takes some 30 KiB of the heap. If they were missing at the end, nobody could run
     * it again: the area would stay mapped, and each C library would believe that Java still has its variables. So
     * another one of the same parts runs in advance. It changes nothing: the kernel refuses to unmap no bytes, and the
     * lender is not that of any area.
     */
    private static void rehearse() {
        MemorySegment nobody = Arena.ofAuto().allocate(JAVA_LONG);
        List<MemorySegment> lenders = new ArrayList<>();
        lenders.add(nobody);
        try {
            action(nobody.address(), lenders, new AtomicReference<>(List.of(MemorySegment.NULL)))
                    .invokeExact();
        } catch (Error e) {
            throw e;
        } catch (Throwable t) {
            throw new AssertionError("it calls what throws nothing", t);
        } finally {
            Reference.reachabilityFence(nobody);
        }
    }

    private static MethodHandle action(
            long base, List<MemorySegment> lenders, AtomicReference<List<MemorySegment>> unused) {
        try {
            MethodHandles.Lookup lookup = MethodHandles.publicLookup();
            MethodType onSegment = MethodType.methodType(void.class, MemorySegment.class);
            MethodHandle address =
                    lookup.findVirtual(MemorySegment.class, "address", MethodType.methodType(long.class));
            MethodHandle size = lookup.findVirtual(MemorySegment.class, "byteSize", MethodType.methodType(long.class));
            // (part) -> munmap(part.address(), part.byteSize())
            MethodHandle unmap = MethodHandles.permuteArguments(
                    MethodHandles.filterArguments(Linux.unmapping(), 0, address, size), onSegment, 0, 0);
            MethodHandle parts = lookup.findVirtual(AtomicReference.class, "get", MethodType.methodType(Object.class))
                    .bindTo(unused)
                    .asType(MethodType.methodType(Iterable.class));
            // (lender) -> LONG.compareAndSet(lender, 0, base, 0)
            // A library may have its variables elsewhere by then: then this changes nothing.
            MethodHandle tell = MethodHandles.insertArguments(
                            JAVA_LONG.varHandle().toMethodHandle(VarHandle.AccessMode.COMPARE_AND_SET), 1, 0L, base, 0L)
                    .asType(onSegment);
            return MethodHandles.foldArguments(
                    MethodHandles.collectArguments(MethodHandles.iteratedLoop(null, null, unmap), 0, parts),
                    MethodHandles.iteratedLoop(null, null, tell).bindTo(lenders));
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
            for (Lent piece : lent) {
                end = addGap(parts, end, place * stride + piece.position, piece.bytes);
            }
        }
        addGap(parts, end, memory.byteSize(), 0);
        return parts;
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
