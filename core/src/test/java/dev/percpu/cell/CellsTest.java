package dev.percpu.cell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** The four cells. */
class CellsTest {
    @Test
    void aCellIsReadAndReplacedAsAWhole() {
        Cell<Integer> cell = new Cell<>(1);
        cell.set(2);
        assertThat(cell.replace(3)).isEqualTo(2);
        cell.update(value -> value + 1);
        assertThat(cell.get()).isEqualTo(4);
        Cell<Integer> other = new Cell<>(9);
        cell.swap(other);
        assertThat(cell.get()).isEqualTo(9);
        assertThat(other.get()).isEqualTo(4);
        cell.swap(cell);
        assertThat(cell.get()).isEqualTo(9);
        assertThatThrownBy(() -> cell.update(value -> {
                    throw new IllegalArgumentException();
                }))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> cell.set(null)).isInstanceOf(NullPointerException.class);
        assertThat(cell.toString()).isEqualTo("Cell(9)");
    }

    @Test
    void aRefCellLendsToManyReaders() {
        RefCell<List<String>> cell = new RefCell<>(List.of("a"));
        try (RefCell.Ref<List<String>> first = cell.borrow()) {
            try (RefCell.Ref<List<String>> second = cell.borrow()) {
                assertThat(first.get()).isSameAs(second.get());
                assertThatThrownBy(cell::borrowMut)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("already borrowed by 2 for reading");
                assertThatThrownBy(() -> cell.replace(List.of())).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(() -> first.set(List.of())).isInstanceOf(UnsupportedOperationException.class);
            }
            assertThatThrownBy(cell::borrowMut)
                    .as("the first reader is still there")
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("already borrowed by 1 for reading");
        }
        assertThat(cell.replace(List.of("b"))).containsExactly("a");
        assertThat(cell.toString()).isEqualTo("RefCell([b])");
    }

    @Test
    void aRefCellLendsToOneWriter() {
        RefCell<List<String>> cell = new RefCell<>(new ArrayList<>());
        try (RefCell.Ref<List<String>> writer = cell.borrowMut()) {
            writer.get().add("a");
            assertThatThrownBy(cell::borrow)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("for writing");
            assertThatThrownBy(cell::borrowMut).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> cell.replace(List.of()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("already borrowed for writing, so it cannot be replaced");
            writer.set(new ArrayList<>(List.of("b")));
            assertThat(cell.toString()).isEqualTo("RefCell(borrowed)");
        }
        try (RefCell.Ref<List<String>> reader = cell.borrow()) {
            assertThat(reader.get()).containsExactly("b");
        }
    }

    @Test
    void aBorrowThatIsClosedIsOver() {
        RefCell<String> cell = new RefCell<>("a");
        RefCell.Ref<String> kept;
        try (RefCell.Ref<String> borrow = cell.borrowMut()) {
            kept = borrow;
        }
        kept.close();
        assertThatThrownBy(kept::get).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> kept.set("b")).isInstanceOf(IllegalStateException.class);
        try (RefCell.Ref<String> borrow = cell.borrow()) {
            kept.close();
            assertThatThrownBy(cell::borrowMut).isInstanceOf(IllegalStateException.class);
            assertThat(borrow.get()).isEqualTo("a");
        }
    }

    @Test
    void unsafeCellAndOpaqueHandOutWhatTheyHold() {
        int[] object = new int[1];
        assertThat(new UnsafeCell<>(object).get()).isSameAs(object);
        MemorySegment memory = MemorySegment.ofArray(new long[2]);
        assertThat(new Opaque(memory).get()).isSameAs(memory);
        assertThat(new Opaque(memory).toString()).isEqualTo("Opaque(16 bytes)");
        assertThat(new UnsafeCell<>("a").toString()).isEqualTo("UnsafeCell(a)");
    }

    /** Otherwise a later read would find it, far from who put it there. */
    @Test
    void noCellTakesNull() {
        RefCell<String> cell = new RefCell<>("a");
        try (RefCell.Ref<String> writer = cell.borrowMut()) {
            assertRefused(() -> writer.set(null));
        }
        assertRefused(() -> cell.replace(null));
        assertThat(cell.toString()).isEqualTo("RefCell(a)");
        assertRefused(() -> new RefCell<>(null));
        assertRefused(() -> new Cell<>(null));
        assertRefused(() -> new UnsafeCell<>(null));
        assertRefused(() -> new Opaque(null));
    }

    private static void assertRefused(ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(NullPointerException.class);
    }
}
