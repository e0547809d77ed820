package dev.percpu.internal.extern;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.guard.UnwatchedOwners;
import dev.percpu.testing.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A {@code struct percpu_library} whose function is a method of this class. */
@Tag("native")
class PlacedAtOnceTest {
    private static final int SHARED_NOW = 0;
    private static final int SHARED_BEFORE = 1;
    private static final int LENT = 5;

    private final MemorySegment library = RefusedLibrary.structure(Long.BYTES);

    private int lateAnswer;
    private boolean isBeingPlaced;
    private volatile @Nullable NativeLibrary ofOtherThread;

    @BeforeAll
    static void nobodyLooksForDeadOwners() throws ReflectiveOperationException {
        UnwatchedOwners.ensure();
    }

    /**
     * Otherwise tokens of two declarations, one by each thread, would not be checked against each other. The piece of
     * the thread that came too late is given back.
     *
     * @param late what the library answers to that thread: it depends on whether this copy of the library can be
     *     unloaded
     */
    @ParameterizedTest
    @ValueSource(ints = {SHARED_BEFORE, LENT})
    void twoThreadsThatPlaceALibraryAtOnceHaveTheSameBorrowWords(int late) throws ReflectiveOperationException {
        lateAnswer = late;
        int lent = LentPieces.count();
        library.set(ADDRESS, 24, function());
        NativeLibrary ofThisThread = NativeLibrary.at(library);
        assertThat(ofThisThread.borrows())
                .isSameAs(ofOtherThread.borrows())
                .isSameAs(NativeLibrary.at(library).borrows());
        assertThat(LentPieces.count()).isEqualTo(lent + 1);
    }

    private MemorySegment function() throws ReflectiveOperationException {
        FunctionDescriptor type = NativeLibrary.shareType();
        return Linker.nativeLinker()
                .upcallStub(MethodHandles.lookup().bind(this, "share", type.toMethodType()), type, Arena.global());
    }

    /** The first call ends after the second one, which another thread makes, has placed the library. */
    int share(long area, long stride, long position, int cpus, MemorySegment possible, int mode, int canBeUnloaded) {
        if (isBeingPlaced) {
            library.set(JAVA_LONG, 40, area);
            library.set(JAVA_LONG, 56, area + position - RefusedLibrary.START);
            library.set(JAVA_LONG, 64, area);
            return SHARED_NOW;
        }
        isBeingPlaced = true;
        Workers.join(Thread.ofPlatform().start(() -> ofOtherThread = NativeLibrary.at(library)));
        return lateAnswer;
    }
}
