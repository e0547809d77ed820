package dev.percpu.internal.area;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.linux.Linux;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Which parts of an area stay mapped at its end, and which libraries hear of it. */
@Tag("native")
class AreaEndTest {
    private static final long PART = Reservation.OPENED_AT_ONCE;

    /** Parts in each place. */
    private static final int PARTS = 5;

    private static final long STRIDE = PARTS * PART;

    /** Two that C code can use, and one that it cannot. */
    private static final int PLACES = 3;

    private static final long MARK = 0x5041525453L;

    /** As a file is read. */
    private static final ValueLayout.OfLong READ = ValueLayout.JAVA_LONG.withOrder(ByteOrder.BIG_ENDIAN);

    private final MemorySegment memory = Linux.reserve(PLACES * STRIDE);
    private final AreaEnd end = new AreaEnd(memory, STRIDE, PLACES - 1);

    /** Pieces are not lent in the order of their positions. One ends a byte behind a part, one begins within one. */
    @Test
    void whatIsLentStaysAndSoDoTheGuardWords() throws Throwable {
        MemorySegment later = lender(memory.address());
        MemorySegment earlier = lender(memory.address());
        Runnable _ = end.lend(4 * PART + 8, 8, later);
        Runnable _ = end.lend(2 * PART - 8, 9, earlier);
        assertThat(partsThatStay()).containsExactly(0, 1, 2, 4, PARTS, PARTS + 1, PARTS + 2, PARTS + 4);
        assertThat(value(later)).isZero();
        assertThat(value(earlier)).isZero();
    }

    @Test
    void whatWasTakenBackGoesAndItsLibraryIsLeftAlone() throws Throwable {
        MemorySegment former = lender(memory.address());
        end.lend(2 * PART, 8, former).run();
        assertThat(end.pieces()).isZero();
        assertThat(partsThatStay()).isEmpty();
        assertThat(value(former)).isEqualTo(memory.address());
    }

    /** Its variables have moved to another area. */
    @Test
    void aLibraryThatHasItsVariablesElsewhereIsLeftAlone() throws Throwable {
        MemorySegment moved = lender(memory.address() + 1);
        Runnable _ = end.lend(PART, 8, moved);
        assertThat(partsThatStay()).containsExactly(0, 1, PARTS, PARTS + 1);
        assertThat(value(moved)).isEqualTo(memory.address() + 1);
    }

    /** The parts of all places that are still there once the area has ended, counted from the first one. */
    private List<Integer> partsThatStay() throws Throwable {
        for (int part = 0; part < PLACES * PARTS; part++) {
            memory.set(READ, part * PART, MARK + part);
        }
        end.action().invokeExact();
        List<Integer> staying = new ArrayList<>();
        try (RandomAccessFile all = new RandomAccessFile("/proc/self/mem", "r")) {
            for (int part = 0; part < PLACES * PARTS; part++) {
                if (isMarked(all, part)) {
                    staying.add(part);
                }
            }
        }
        return staying;
    }

    /** The kernel refuses to read where nothing is mapped. The JVM may have mapped something else there by now. */
    private boolean isMarked(RandomAccessFile all, int part) throws IOException {
        all.seek(memory.address() + part * PART);
        try {
            return all.readLong() == MARK + part;
        } catch (IOException notMapped) {
            return false;
        }
    }

    private static MemorySegment lender(long area) {
        MemorySegment lender = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG);
        lender.set(ValueLayout.JAVA_LONG, 0, area);
        return lender;
    }

    private static long value(MemorySegment lender) {
        return lender.get(ValueLayout.JAVA_LONG, 0);
    }
}
