package dev.percpu.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.CpuGuard;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A task on every CPU. */
class OnEachCpuTest {
    private final List<CpuId> usable =
            CpuMask.usable().ids().mapToObj(CpuId::of).toList();

    @Test
    void runsOnceOnEachAndStaysThere() {
        List<CpuId> visited = new ArrayList<>();
        CpuId.onEachCpu(cpu -> {
            visited.add(cpu);
            for (int i = 0; i < 1000; i++) {
                assertThat(CpuId.current()).isEqualTo(cpu);
            }
            try (CpuGuard guard = CpuGuard.acquire()) {
                assertThat(guard.cpu()).isEqualTo(cpu);
            }
        });
        assertThat(visited).isEqualTo(usable);
    }

    @Test
    void goesOnAfterAFailureAndThrowsTheFirst() {
        List<CpuId> visited = new ArrayList<>();
        assertThatThrownBy(() -> CpuId.onEachCpu(cpu -> {
                    visited.add(cpu);
                    throw new IllegalArgumentException("on " + cpu);
                }))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("on " + usable.getFirst())
                .satisfies(first -> assertThat(first.getSuppressed()).hasSize(usable.size() - 1));
        assertThat(visited).isEqualTo(usable);
    }

    @Test
    void isRefusedToWhoHoldsAGuard() {
        try (CpuGuard guard = CpuGuard.acquire()) {
            assertThatThrownBy(() -> CpuId.onEachCpu(cpu -> {}))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("holds the guard of " + guard.cpu());
        }
    }

    @Test
    void anInterruptIsKeptForTheCaller() {
        Thread.currentThread().interrupt();
        List<CpuId> visited = new ArrayList<>();
        CpuId.onEachCpu(visited::add);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(visited).isEqualTo(usable);
    }
}
