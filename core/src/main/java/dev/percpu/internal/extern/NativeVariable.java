package dev.percpu.internal.extern;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.percpu.internal.linux.Platform;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;

/**
 * A per-CPU variable of C code: the Java counterpart of {@code struct percpu_variable} in {@code percpu.h}.
 *
 * @param name the names of the variable and its library, for messages
 * @param position its position in each CPU's place
 * @param bytes its size
 * @param borrows the borrow words of all of the library's variables, by their position
 * @param scope alive until the arena of the lookup is closed
 */
public record NativeVariable(
        String name, long position, long bytes, Map<Long, long[]> borrows, MemorySegment.Scope scope) {
    /** This prefix and the variable's name make the name of the structure that describes the variable. */
    private static final String PREFIX = "percpu_variable_";

    /** The offsets of the fields of {@code struct percpu_variable}. */
    private static final long MAGIC = 0;

    private static final long VERSION = 4;
    private static final long IMAGE = 8;
    private static final long SIZE = 16;
    private static final long LIBRARY = 24;
    private static final long FIELDS = 32;

    private static final int RIGHT_MAGIC = 0x75706370;
    private static final int RIGHT_VERSION = 4;

    /**
     * Finds a variable, and places its library's variables in the area if necessary.
     *
     * @throws UnsupportedOperationException if native code cannot be called here
     * @throws NoSuchElementException if there is no such symbol
     * @throws IllegalArgumentException if the symbol is not a per-CPU variable, or is one of another version
     *     of percpu.h
     * @throws IllegalStateException if the lookup's arena is closed, or the library cannot be placed
     */
    public static NativeVariable find(SymbolLookup lookup, String name) {
        if (!Platform.hasSystemCalls()) {
            throw new UnsupportedOperationException(
                    name + ": variables of C code need native access: " + Platform.whyNoSystemCalls());
        }
        MemorySegment descriptor = descriptor(lookup, name).reinterpret(FIELDS);
        int magic = descriptor.get(JAVA_INT, MAGIC);
        int version = descriptor.get(JAVA_INT, VERSION);
        if (magic != RIGHT_MAGIC || version != RIGHT_VERSION) {
            throw new IllegalArgumentException(
                    name + " is not a per-CPU variable that this version can read: " + PREFIX + name
                            + (magic == RIGHT_MAGIC
                                    ? " is of version " + version + " of percpu.h, not " + RIGHT_VERSION
                                    : " was not made by percpu.h"));
        }
        long image = descriptor.get(ADDRESS, IMAGE).address();
        long bytes = descriptor.get(JAVA_LONG, SIZE);
        NativeLibrary library = NativeLibrary.at(descriptor.get(ADDRESS, LIBRARY));
        String fullName = name + " of " + library.file();
        if (!library.contains(image, bytes)) {
            throw new IllegalArgumentException(fullName + " does not lie in the library's per-CPU section");
        }
        return new NativeVariable(fullName, library.positionOf(image), bytes, library.borrows(), descriptor.scope());
    }

    private static MemorySegment descriptor(SymbolLookup lookup, String name) {
        Optional<MemorySegment> descriptor;
        boolean isPlain;
        try {
            descriptor = lookup.find(PREFIX + name);
            isPlain = descriptor.isEmpty() && lookup.find(name).isPresent();
        } catch (IllegalStateException closed) {
            throw new IllegalStateException(name + ": the arena of this lookup has been closed", closed);
        }
        if (isPlain) {
            throw new IllegalArgumentException(
                    name + " is an ordinary symbol, not a per-CPU variable: define it with DEFINE_PER_CPU");
        }
        return descriptor.orElseThrow(() -> new NoSuchElementException("there is no per-CPU variable " + name
                + ": the library exports no symbol " + PREFIX + name + ", which DEFINE_PER_CPU would define"));
    }

    /**
     * Checks that the arena of the lookup is open. The instances stay where they are even when it is closed, so a
     * thread that has just passed this check does no harm.
     *
     * @throws IllegalStateException if the arena is closed
     */
    public void checkOpen() {
        if (!scope.isAlive()) {
            throw new IllegalStateException(name + ": the arena of its lookup has been closed");
        }
    }

    /**
     * Checks that every instance has the alignment that the caller expects.
     *
     * @throws IllegalArgumentException if it does not
     */
    public void checkAlignment(long expected, Object type) {
        if (position % expected != 0) {
            throw new IllegalArgumentException(
                    name + " is not aligned to the " + expected + " bytes of " + type + ": align its type in C");
        }
    }

    /**
     * Checks that the variable has the size that the caller expects.
     *
     * @throws IllegalArgumentException if it has another size
     */
    public void checkSize(long expected, Object type) {
        if (bytes != expected) {
            throw new IllegalArgumentException(name + " has " + bytes + " bytes, not the " + expected + " of " + type);
        }
    }
}
