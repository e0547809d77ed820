package dev.percpu.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.testing.VmTest;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Masks, on whatever CPUs this machine has. */
@VmTest({"affinity", "cpuset", "hotplug", "many", "sparse"})
class CpuMaskTest {
    private static final CpuId FIRST = CpuId.of(0);

    @Test
    void setClearAndTest() {
        CpuMask mask = CpuMask.none();
        assertThat(mask.isEmpty()).isTrue();
        assertThat(mask.weight()).isZero();
        mask.set(FIRST);
        assertThat(mask.test(FIRST)).isTrue();
        assertThat(mask.weight()).isEqualTo(1);
        mask.clear(FIRST);
        assertThat(mask.test(FIRST)).isFalse();
        assertThat(mask.isEmpty()).isTrue();
    }

    @Test
    void setAllFillsEveryPlace() {
        CpuMask mask = CpuMask.none();
        mask.setAll();
        assertThat(mask.isFull()).isTrue();
        assertThat(mask.weight()).isEqualTo(CpuMask.capacity());
        mask.clear(FIRST);
        assertThat(mask.isFull()).isFalse();
        mask.clearAll();
        assertThat(mask.isEmpty()).isTrue();
    }

    @Test
    void copiesAreIndependent() {
        CpuMask mask = CpuMask.of(0);
        CpuMask copy = mask.copy();
        assertThat(copy).isEqualTo(mask).hasSameHashCodeAs(mask);
        copy.clear(FIRST);
        assertThat(mask.test(FIRST)).isTrue();
        copy.copyFrom(mask);
        assertThat(copy).isEqualTo(mask);
        copy.copyFrom(copy);
        assertThat(copy).isEqualTo(mask);
        copy.copyFrom(CpuMask.none());
        assertThat(copy.isEmpty()).as("what the other has not is cleared").isTrue();
        CpuMask.possible().clear(FIRST);
        assertThat(CpuMask.possible().test(FIRST))
                .as("the system's mask is a copy")
                .isTrue();
    }

    @Test
    void theIteratorIsFusedAndSeesWhatLiesAhead() {
        CpuMask mask = CpuMask.of(0);
        Iterator<CpuId> iterator = mask.iterator();
        assertThat(iterator.next()).isEqualTo(FIRST);
        mask.set(last());
        assertThat(iterator.next()).isEqualTo(last());
        mask.clear(last());
        assertThat(iterator.hasNext()).isFalse();
        mask.setAll();
        assertThat(iterator.hasNext()).as("once at the end, always at the end").isFalse();
        assertThatThrownBy(iterator::next).isInstanceOf(NoSuchElementException.class);
    }

    @Test
    void anIteratorThatHasFoundTheEndSeesNothingBehindIt() {
        CpuMask mask = CpuMask.none();
        Iterator<CpuId> iterator = mask.iterator();
        assertThat(iterator.hasNext()).isFalse();
        mask.setAll();
        assertThat(iterator.hasNext()).isFalse();
        assertThatThrownBy(iterator::next).isInstanceOf(NoSuchElementException.class);
    }

    @Test
    void iteratesInAscendingOrder() {
        List<Integer> ids = new ArrayList<>();
        for (CpuId cpu : CpuMask.possible()) {
            ids.add(cpu.id());
        }
        assertThat(ids).isSorted().hasSize(CpuMask.possible().weight());
        assertThat(CpuMask.possible().ids()).containsExactlyElementsOf(ids);
    }

    @Test
    void printsTheKernelsListFormat() {
        assertThat(CpuMask.none()).hasToString("");
        assertThat(CpuMask.of(0)).hasToString("0");
        CpuMask all = CpuMask.none();
        all.setAll();
        assertThat(all).hasToString("0-" + (CpuMask.capacity() - 1));
        BitSet withGaps = BitSet.valueOf(new long[] {0b1101_0011_1011});
        assertThat(new CpuMask(withGaps)).hasToString("0-1,3-5,8,10-11");
    }

    @Test
    void theSystemsMasksLieWithinEachOther() {
        assertThat(CpuMask.possible().isEmpty()).isFalse();
        assertThat(CpuMask.possible()).containsAll(CpuMask.present());
        assertThat(CpuMask.present()).containsAll(CpuMask.online());
        assertThat(CpuMask.allowed().isEmpty()).isFalse();
        assertThat(CpuMask.capacity()).isEqualTo(CpuMask.possible().ids().max().orElseThrow() + 1);
    }

    @Test
    void idsOutOfRangeAreRefusedByName() {
        for (int id : new int[] {-1, CpuMask.capacity(), Integer.MAX_VALUE}) {
            assertThatThrownBy(() -> CpuId.of(id))
                    .isInstanceOf(IndexOutOfBoundsException.class)
                    .hasMessage("CPU " + id + " is out of range: this system's ids go from 0 to " + last().id());
            assertThatThrownBy(() -> CpuMask.of(id)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void idsAreOneInstanceEach() {
        assertThat(CpuId.of(0)).isSameAs(CpuId.of(0));
        assertThat(IntStream.range(0, CpuMask.capacity()).mapToObj(CpuId::of).toList())
                .isSorted();
        assertThat(CpuId.of(0)).hasToString("CPU 0");
        assertThat(CpuMask.possible().test(CpuId.current())).isTrue();
    }

    private static CpuId last() {
        return CpuId.of(CpuMask.capacity() - 1);
    }
}
