package dev.percpu.internal.area;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.linux.Linux;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where the places of an area lie. */
@Tag("once")
class ReservationTest {
    private static final int CPUS = 3;
    private static final int OWNS = 2;
    private static final int FIRST_OWN = CPUS + 1;

    /** Those of the CPUs and of threads, the spare one, and that of the gates. */
    private static final int PLACES = CPUS + OWNS + 2;

    private final @Nullable String before = System.getProperty(Stride.PROPERTY);

    @AfterEach
    void restore() {
        if (before == null) {
            System.clearProperty(Stride.PROPERTY);
        } else {
            System.setProperty(Stride.PROPERTY, before);
        }
    }

    /** Whoever asks for a small area wants it to take little. */
    @ParameterizedTest
    @ValueSource(strings = {"256", "64k", "128k", "512k", "1m", "16m"})
    void noPlaceOverlapsAnotherNorWhatIsLeftToTheJvm(String wanted) {
        System.setProperty(Stride.PROPERTY, wanted);
        Reservation area = Reservation.reserve(CPUS, OWNS);
        long stride = area.stride();
        assertThat(stride).isEqualTo(Stride.parse(wanted));
        List<Long> starts = new ArrayList<>();
        for (int place = 0; place <= CPUS; place++) {
            starts.add(place * stride);
        }
        starts.add(area.gates(CPUS));
        for (int place = FIRST_OWN; place < FIRST_OWN + OWNS; place++) {
            starts.add(area.own(place));
        }
        for (int i = 1; i < PLACES; i++) {
            assertThat(starts.get(i)).isGreaterThanOrEqualTo(starts.get(i - 1) + stride);
        }
        long end = starts.getLast() + stride;
        if (stride < Reservation.LEAST_SHRUNK) {
            assertThat(end).isEqualTo(PLACES * stride);
        }
        long left = area.leftToTheJvm().byteSize();
        assertThat(left).isLessThanOrEqualTo(stride);
        assertThat(area.memory().byteSize()).isEqualTo(Reservation.roundUp(end + left));
        assertThat(Linux.unmap(area.memory())).isTrue();
    }

    /** With strides that leave the bits of the hash alone. The smallest is the default where there are many CPUs. */
    @ParameterizedTest
    @ValueSource(longs = {1 << 28, 1 << 30})
    void aThreadsThreePlacesDifferInTheHashOfAmdsCaches(long stride) {
        Reservation area = new Reservation(MemorySegment.NULL, stride);
        Random random = new Random(1);
        for (int i = 0; i < 100_000; i++) {
            long instance = random.nextLong(1L << 47) & -Long.BYTES;
            assertThat(List.of(
                            hash(instance + random.nextInt(CPUS) * stride),
                            hash(instance + area.gates(CPUS)),
                            hash(instance + area.own(FIRST_OWN + random.nextInt(OWNS)))))
                    .doesNotHaveDuplicates();
        }
    }

    /** Of the bits 12 to 27: the first with the last and so on, except for the bits 15 to 19 and 20 to 24. */
    private static long hash(long address) {
        long ends = ((address >> 12) ^ (Long.reverse(address) >> 36)) & 0b111;
        long middle = ((address >> 15) ^ (address >> 20)) & 0b11111;
        return (ends << 5) | middle;
    }
}
