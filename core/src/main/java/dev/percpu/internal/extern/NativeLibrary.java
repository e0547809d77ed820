package dev.percpu.internal.extern;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.Claim;
import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.guard.NativeOwners;
import dev.percpu.internal.guard.Ownership;
import dev.percpu.internal.linux.Topology;
import dev.percpu.internal.protocol.StackRoom;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A library whose per-CPU section has a position in the area: the Java counterpart of {@code struct percpu_library} in
 * {@code percpu.h}. As when the kernel loads a module, a piece as large as the section is taken from each CPU's place,
 * and the library receives its position. The library does the rest: it copies the section there or, if its variables
 * are in use already, moves them.
 *
 * <p>The piece is never given back: the library keeps itself loaded, and its threads may go on running. If this copy of
 * {@code dev.percpu} is unloaded, the piece stays mapped, and another copy can have the variables.
 */
final class NativeLibrary {
    /** The offsets of the fields of {@code struct percpu_library}. */
    private static final long START = 0;

    private static final long STOP = 8;
    private static final long FILE = 16;
    private static final long SHARE = 24;
    private static final long AREA = 40;
    private static final long DELTA = 56;
    private static final long LENDER = 64;
    private static final long FIELDS = 72;

    /** What the library's function returns: {@code enum percpu_answer}. */
    private static final int SHARED_NOW = 0;

    private static final int SHARED_BEFORE = 1;
    private static final int GUARD_HELD = 2;
    private static final int OTHER_CPUS = 3;
    private static final int NO_MEMBARRIER = 4;
    private static final int LENT = 5;
    private static final int BUSY = 6;

    /** {@code enum percpu_mode}. */
    private static final int SEQUENCES = 0;

    private static final int ATOMICS = 1;

    private static final long LARGEST_ALIGNMENT = 4096;
    private static final long LONGEST_PATH = 1 << 16;

    /*
     * Nothing is made in a class initializer here. The first declaration may come when the heap is full, and after a
     * failed initializer no library could be declared any more, however much memory there is later.
     */

    /** Calls the library's function: null until the first library is placed. */
    private static volatile @Nullable MethodHandle callShare;

    /**
     * The key is the address of the library's structure, which distinguishes two libraries of the same name. No lock is
     * held while a library is placed, because placing it can wait for guards of C code. The owner of such a guard may
     * be about to come here too, and must then be refused rather than wait for the lock.
     */
    private static volatile @Nullable Map<Long, NativeLibrary> placed;

    /**
     * The borrow words of each variable, by its position, so that tokens of several declarations are checked against
     * each other. The map grows with the library's variables, not with the number of declarations.
     */
    private final Map<Long, long[]> borrows = new ConcurrentHashMap<>();

    private final String file;
    private final long start;
    private final long stop;
    private final long position;

    private NativeLibrary(String file, long start, long stop, long position) {
        this.file = file;
        this.start = start;
        this.stop = stop;
        this.position = position;
    }

    /**
     * The library whose structure is at the address. It is placed first if necessary.
     *
     * @throws dev.percpu.memory.AreaFullException if the area has no room for its section
     * @throws IllegalStateException if the library refuses
     */
    static NativeLibrary at(MemorySegment address) {
        Map<Long, NativeLibrary> libraries = placed();
        NativeLibrary library = libraries.get(address.address());
        if (library == null) {
            NativeLibrary mine = place(address.reinterpret(FIELDS));
            // Another thread may have been here at the same time. All declarations need the same borrow words.
            NativeLibrary earlier = libraries.putIfAbsent(address.address(), mine);
            library = earlier == null ? mine : earlier;
        }
        return library;
    }

    private static Map<Long, NativeLibrary> placed() {
        Map<Long, NativeLibrary> libraries = placed;
        return libraries == null ? newPlaced() : libraries;
    }

    /** The lock is held for a moment only. */
    private static synchronized Map<Long, NativeLibrary> newPlaced() {
        Map<Long, NativeLibrary> libraries = placed;
        if (libraries == null) {
            libraries = new ConcurrentHashMap<>();
            placed = libraries;
        }
        return libraries;
    }

    /** Not critical: the library's function can wait for guards of C code. */
    private static MethodHandle callShare() {
        MethodHandle call = callShare;
        if (call == null) {
            // Two threads may do this at once, as it does not matter whose handle is kept.
            call = Linker.nativeLinker().downcallHandle(shareType());
            callShare = call;
        }
        return call;
    }

    /** What the library's function takes and returns. */
    static FunctionDescriptor shareType() {
        return FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
    }

    private static NativeLibrary place(MemorySegment library) {
        long start = library.get(ADDRESS, START).address();
        long stop = library.get(ADDRESS, STOP).address();
        String file = library.get(ADDRESS, FILE).reinterpret(LONGEST_PATH).getString(0);
        String label = "the per-CPU variables of " + file;
        // Whoever holds a guard of this library's may be C code that waits for a guard that this thread holds.
        Ownership.refuseToWait(
                "the guards of C code, to place ", label + " (declare one of them before any guard is held)");

        // Room for all that follows, also for giving the piece back if something fails.
        StackRoom.CURRENT.ensure();
        // This comes before C code can own its first guard of the area.
        NativeOwners.expect();
        // The linker has aligned the section for the variable with the largest alignment. That alignment is not known,
        // but the section's address shows how large it can have been at most.
        long alignment = Math.min(Long.lowestOneBit(start), LARGEST_ALIGNMENT);
        try (Claim piece = Area.claim(stop - start, alignment, label)) {
            int answer = offer(library, piece, stop - start);
            if (answer != SHARED_NOW && ((answer != SHARED_BEFORE && answer != LENT) || !isInThisArea(library))) {
                throw new IllegalStateException(label + refusal(answer));
            }
            // If it was shared before, another thread has placed it at the same time.
            return new NativeLibrary(file, start, stop, position(library));
        }
    }

    /** Offers the library a piece, which is kept if the library has it then, whatever failed after that. */
    private static int offer(MemorySegment library, Claim piece, long bytes) {
        Runnable takeBack = null;
        try {
            // The library's threads go on even if dev.percpu is unloaded.
            takeBack = Area.lend(piece.position(), bytes, library.asSlice(LENDER, Long.BYTES));
            MemorySegment share = library.get(ADDRESS, SHARE);
            int answer = share(share, piece.position());
            if (answer == LENT && OtherCopy.awaitEnd(library)) {
                answer = share(share, piece.position());
            }
            return answer;
        } finally {
            if (isInThisArea(library) && position(library) == piece.position()) {
                piece.keep();
            } else if (takeBack != null) {
                takeBack.run();
            }
        }
    }

    private static boolean isInThisArea(MemorySegment library) {
        return library.get(JAVA_LONG, AREA) == Area.BASE;
    }

    /** Where a library's piece lies, if that is in this area: an instance lies at variable + delta + cpu * stride. */
    private static long position(MemorySegment library) {
        return library.get(ADDRESS, START).address() + library.get(JAVA_LONG, DELTA) - Area.BASE;
    }

    /** Why a library is not placed: the end of a message that begins with its name. */
    private static String refusal(int answer) {
        return switch (answer) {
            case SHARED_BEFORE ->
                " are in another per-CPU area already: dev.percpu is loaded twice in this process, and only one of"
                        + " the two can have them";
            case LENT ->
                " are in the per-CPU area of another copy of dev.percpu, which has not been unloaded: either"
                        + " it is still used, or something keeps its class loader reachable, or the garbage"
                        + " collector does not run when it is asked to (-XX:+DisableExplicitGC), or it was asked in"
                        + " vain shortly before, and is not asked again yet (then declare them later)";
            case GUARD_HELD ->
                " cannot be placed: C code on this very thread holds a guard of theirs, and has called Java";
            case OTHER_CPUS ->
                " cannot be moved to the area for " + Area.CPUS
                        + " CPUs: when C code first used them, the library found other"
                        + " CPUs possible. Declare them before C code uses them";
            case NO_MEMBARRIER ->
                " cannot be moved to the area: C code uses them already, and the kernel refuses membarrier, which"
                        + " is needed to stop that code during the move. A seccomp filter may be the reason";
            case BUSY ->
                " cannot be moved to the area: for half a minute, a thread of C code has not come to the end of an"
                        + " operation on them, or of a fork. If a signal handler has left the operation by siglongjmp,"
                        + " it never will. Declare the variables before that";
            default -> " cannot be placed, for a reason that this version does not know: " + answer;
        };
    }

    private static int share(MemorySegment function, long position) {
        MethodHandle call = callShare();
        try (Arena arena = Arena.ofConfined()) {
            // The Java side says which CPUs are possible: where the kernel does not tell, the C side could only guess.
            MemorySegment possible =
                    arena.allocateFrom(JAVA_LONG, Topology.possible().toLongArray());
            return (int) call.invokeExact(
                    function,
                    Area.BASE,
                    Area.STRIDE,
                    position,
                    Area.CPUS,
                    possible,
                    Backends.usesSequences() ? SEQUENCES : ATOMICS,
                    OtherCopy.canThisOneBeUnloaded() ? 0 : 1);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new AssertionError("a native call threw a checked exception", t);
        }
    }

    /** The address of the area that the variables are in; 0 if no copy of this library has it any more. */
    static long lender(MemorySegment library) {
        return (long) Area.LONG.getAcquire(library, LENDER);
    }

    String file() {
        return file;
    }

    Map<Long, long[]> borrows() {
        return borrows;
    }

    /** Whether the image of a variable, its initial value, lies in the section. */
    boolean contains(long image, long bytes) {
        return image >= start && bytes >= 0 && bytes <= stop - image;
    }

    /** The variable's position in each CPU's place. */
    long positionOf(long image) {
        return position + (image - start);
    }
}
