package dev.percpu.internal.area;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.AreaPages;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.Machine.Call;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A program that needed much memory once, in many small pieces or in one, does not keep it: in a JVM of its own. */
@Tag("native")
class FreedMemoryTest {
    private static final int EINVAL = 22;

    private static final int PIECES = 8192;
    private static final int BYTES = 1024;

    /** Of so many pieces one stays, so that no piece's neighbours are all free. */
    private static final int ONE_STAYS = 1024;

    /** Fills pieces, gives most of them back, and prints what is resident. */
    static final class Probe {
        private Probe() {}

        public static void main(String[] arguments) throws IOException {
            long before = AreaPages.residentBytes();
            long[] positions = new long[PIECES];
            for (int i = 0; i < PIECES; i++) {
                positions[i] = Area.allocate(BYTES, Long.BYTES, "piece");
                piece(positions[i], BYTES).fill((byte) 1);
            }
            Jvm.print("filled", AreaPages.residentBytes() - before);
            for (int i = 0; i < PIECES; i++) {
                if (i % ONE_STAYS != 0) {
                    Area.free(positions[i], BYTES);
                }
            }
            Jvm.print("freed", AreaPages.residentBytes() - before);
            long staying = 0;
            for (int i = 0; i < PIECES; i += ONE_STAYS) {
                staying += count(positions[i], BYTES, 1);
            }
            Jvm.print("staying", staying);
            long zero = 0;
            for (int i = 0; i < PIECES; i++) {
                zero += count(Area.allocate(BYTES, Long.BYTES, "piece"), BYTES, 0);
            }
            Jvm.print("zero", zero);
        }

        private static MemorySegment piece(long position, long bytes) {
            return Area.MEMORY.asSlice(Area.offset(0, position), bytes);
        }

        private static long count(long position, long bytes, int value) {
            return piece(position, bytes)
                    .elements(ValueLayout.JAVA_BYTE)
                    .filter(element -> element.get(ValueLayout.JAVA_BYTE, 0) == value)
                    .count();
        }
    }

    /** Fills a piece that is large, but too small for all free memory to be given back after it, and gives it back. */
    static final class ProbeOfOne {
        private static final int LARGE = 512 << 10;

        private ProbeOfOne() {}

        public static void main(String[] arguments) throws IOException {
            long position = Area.allocate(LARGE, Long.BYTES, "piece");
            long before = AreaPages.residentBytes();
            Probe.piece(position, LARGE).fill((byte) 1);
            Jvm.print("filled", AreaPages.residentBytes() - before);
            Area.free(position, LARGE);
            Jvm.print("freed", AreaPages.residentBytes() - before);
            // The lowest that fits is the same one.
            Jvm.print("zero", Probe.count(Area.allocate(LARGE, Long.BYTES, "piece"), LARGE, 0));
        }
    }

    @Test
    void memoryOfALargePieceGoesBackAtOnce() {
        Jvm.Result result = Jvm.asHere().run(ProbeOfOne.class);
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.number("filled")).isGreaterThanOrEqualTo(ProbeOfOne.LARGE);
        assertThat(result.number("freed")).isLessThan(ProbeOfOne.LARGE / 2);
    }

    /** As it refuses it for locked memory. */
    @Test
    void aLargePieceThatTheKernelDoesNotTakeBackIsZeroAllTheSame() {
        Jvm.Result result = Jvm.asHere().refusing(Call.MADVISE, EINVAL).run(ProbeOfOne.class);
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.number("freed")).isGreaterThanOrEqualTo(ProbeOfOne.LARGE);
        assertThat(result.number("zero")).isEqualTo(ProbeOfOne.LARGE);
    }

    @Test
    void memoryOfFreedPiecesGoesBackToTheKernel() {
        Jvm.Result result = Jvm.asHere().run(Probe.class);
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.number("filled")).isGreaterThanOrEqualTo((long) PIECES * BYTES);
        assertThat(result.number("freed"))
                .as("resident after seven eighths and more were freed")
                .isLessThan((long) PIECES * BYTES / 4);
        assertThat(result.number("staying"))
                .as("bytes of the others that are as they were")
                .isEqualTo((long) PIECES / ONE_STAYS * BYTES);
        assertThat(result.number("zero"))
                .as("bytes of new pieces that are zero")
                .isEqualTo((long) PIECES * BYTES);
    }
}
