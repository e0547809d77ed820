package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cell.Cell;
import dev.percpu.cell.RefCell;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.Workers;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tokens and pointers: what aliases, what has ended, and that a refusal changes nothing. */
@VmTest("machine")
class TokenTest {
    private static final CpuId CPU = CpuMask.allowed().iterator().next();

    private final StaticPerCpu<List<String>> lists = StaticPerCpu.define("lists", ArrayList::new);
    private final StaticPerCpu<Cell<Integer>> cells = StaticPerCpu.define("cells", () -> new Cell<>(0));
    private final CheckedPerCpu<Cell<Integer>> checked = CheckedPerCpu.of(cells);

    @Test
    void withForwardsTheResultAndRunHasNone() {
        try (CpuGuard guard = CpuGuard.acquire()) {
            PerCpuToken<List<String>> token = lists.getMut(guard);
            token.run(list -> list.add("a"));
            assertThat(token.<Integer>with(List::size)).isEqualTo(1);
        }
    }

    @Test
    void aTokenCanBeUsedAgainAndAgain() {
        try (CpuGuard guard = CpuGuard.acquire()) {
            PerCpuToken<List<String>> token = lists.getMut(guard);
            for (int i = 0; i < 10; i++) {
                token.run(list -> list.add("x"));
            }
            assertThat(token.<Integer>with(List::size)).isEqualTo(10);
        }
    }

    @Test
    void replaceExchangesTheInstanceOfThisCpuOnly() {
        List<String> other = new ArrayList<>(List.of("other"));
        try (CpuGuard guard = CpuGuard.acquire(CPU)) {
            PerCpuToken<List<String>> token = lists.getMut(guard);
            assertThat(token.replace(other)).isEmpty();
            assertThat(token.<List<String>>with(list -> list)).isSameAs(other);
            assertThatThrownBy(() -> token.replace(null)).isInstanceOf(NullPointerException.class);
            assertThat(token.<List<String>>with(list -> list)).isSameAs(other);
        }
        lists.forEachCpu((cpu, list) -> assertThat(list).hasSize(cpu.equals(CPU) ? 1 : 0));
    }

    @Test
    void aSecondExclusiveTokenForTheSameInstanceIsRefused() {
        try (CpuGuard guard = CpuGuard.acquire(CPU)) {
            PerCpuToken<List<String>> token = lists.getMut(guard);
            assertAliases(() -> lists.getMut(guard), "lists");
            try (CpuGuard nested = CpuGuard.acquire(CPU)) {
                assertAliases(() -> lists.getMut(nested), "lists");
                assertAliases(() -> lists.ptr().getMutRef(nested), "lists");
                assertAliases(() -> lists.ptr().getRef(nested), "lists");
            }
            token.run(list -> list.add("still mine"));
        }
    }

    @Test
    void theVariablesOwnRunAndWithAreExclusiveToo() {
        OnCpu.run(CPU, () -> {
            lists.run(list -> {
                assertAliases(() -> lists.run(List::clear), "lists");
                assertAliases(() -> lists.<Integer>with(List::size), "lists");
                try (CpuGuard nested = CpuGuard.acquire()) {
                    assertAliases(() -> lists.getMut(nested), "lists");
                    assertAliases(() -> lists.ptr().getRef(nested), "lists");
                }
                list.add("a");
            });
            int size = lists.<Integer>with(list -> {
                assertAliases(() -> lists.run(List::clear), "lists");
                return list.size();
            });
            assertThat(size).isEqualTo(1);
        });
    }

    @Test
    void theVariablesOwnRunEndsItsExclusiveAccess() {
        OnCpu.run(CPU, () -> {
            assertThatThrownBy(() -> lists.run(list -> {
                        list.add("a");
                        throw new UnsupportedOperationException("for the test");
                    }))
                    .hasMessage("for the test");
            assertThatThrownBy(() -> lists.with(list -> {
                        throw new UnsupportedOperationException("for the test");
                    }))
                    .hasMessage("for the test");
            try (CpuGuard guard = CpuGuard.acquire()) {
                // With a guard of the same serial number.
                assertThat(lists.getMut(guard).<Integer>with(List::size)).isEqualTo(1);
                // As a second token, in a nested guard, which must find the first one.
                assertAliases(() -> lists.run(List::clear), "lists");
            }
            lists.run(List::clear);
        });
        try (CpuGuard guard = CpuGuard.acquire(CPU)) {
            assertThat(lists.getMut(guard).<Integer>with(List::size)).isZero();
        }
    }

    @Test
    void tokensForOtherVariablesAndOtherCpusDoNotAlias() {
        StaticPerCpu<List<String>> others = StaticPerCpu.define("others", ArrayList::new);
        List<CpuId> cpus = CpuMask.possible().ids().mapToObj(CpuId::of).toList();
        try (CpuGuard guard = CpuGuard.acquire(cpus.getFirst());
                CpuGuard elsewhere = CpuGuard.acquire(cpus.getLast())) {
            lists.getMut(guard).run(list -> list.add("a"));
            others.getMut(guard).run(list -> list.add("b"));
            assertThat(cpus.size()).as("this test needs two CPUs").isGreaterThan(1);
            lists.getMut(elsewhere).run(list -> list.add("c"));
        }
    }

    @Test
    void aTokenEndsWithItsGuard() {
        PerCpuToken<List<String>> token;
        try (CpuGuard guard = CpuGuard.acquire(CPU)) {
            try (CpuGuard nested = CpuGuard.acquire(CPU)) {
                token = lists.getMut(nested);
            }
            lists.getMut(guard).run(list -> list.add("the nested token has ended"));
        }
        assertThatThrownBy(() -> token.run(List::clear))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThatThrownBy(() -> token.<Integer>with(List::size)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> token.replace(List.of())).isInstanceOf(IllegalStateException.class);
        try (CpuGuard guard = CpuGuard.acquire(CPU)) {
            assertThat(lists.getMut(guard).<Integer>with(List::size)).isEqualTo(1);
            assertThatThrownBy(() -> token.run(List::clear)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void aTokenIsOfNoUseToAnotherThread() throws InterruptedException {
        try (CpuGuard guard = CpuGuard.acquire()) {
            PerCpuToken<List<String>> token = lists.getMut(guard);
            Workers.run("other-", 1, number -> {
                assertThatThrownBy(() -> token.run(List::clear)).isInstanceOf(WrongThreadException.class);
                assertThatThrownBy(() -> token.<Integer>with(List::size)).isInstanceOf(WrongThreadException.class);
            });
        }
    }

    @Test
    void sharedTokensNest() {
        try (CpuGuard guard = CpuGuard.acquire(CPU)) {
            CheckedPerCpuToken<Cell<Integer>> outer = checked.get(guard);
            outer.run(cell -> {
                cell.set(1);
                try (CpuGuard nested = CpuGuard.acquire(CPU)) {
                    checked.get(nested).run(same -> same.update(value -> value + 1));
                }
                assertThat(cell.get()).isEqualTo(2);
            });
            assertThat(checked.get(guard).<Integer>with(Cell::get)).isEqualTo(2);
        }
    }

    @Test
    void sharedAndExclusiveTokensExcludeEachOther() {
        try (CpuGuard guard = CpuGuard.acquire(CPU)) {
            CheckedPerCpuToken<Cell<Integer>> shared = checked.get(guard);
            assertAliases(() -> cells.getMut(guard), "cells");
            // An inner shared token that has ended must not hide the outer one.
            try (CpuGuard nested = CpuGuard.acquire(CPU)) {
                checked.get(nested).run(cell -> cell.set(3));
            }
            try (CpuGuard nested = CpuGuard.acquire(CPU)) {
                assertAliases(() -> cells.getMut(nested), "cells");
            }
            shared.run(cell -> assertThat(cell.get()).isEqualTo(3));
        }
        // Nor must an inner one that was there first.
        try (CpuGuard guard = CpuGuard.acquire(CPU)) {
            CheckedPerCpuToken<Cell<Integer>> outer;
            try (CpuGuard nested = CpuGuard.acquire(CPU)) {
                checked.get(nested).run(cell -> cell.set(5));
                outer = checked.get(guard);
            }
            try (CpuGuard nested = CpuGuard.acquire(CPU)) {
                assertAliases(() -> cells.getMut(nested), "cells");
            }
            outer.run(cell -> assertThat(cell.get()).isEqualTo(5));
        }
        try (CpuGuard guard = CpuGuard.acquire(CPU)) {
            cells.getMut(guard).run(cell -> cell.set(4));
            assertAliases(() -> checked.get(guard), "cells");
        }
    }

    @Test
    @SuppressWarnings("NullAway") // null is the mistake
    void aCheckedFormOfNothingIsRefused() {
        assertThatThrownBy(() -> CheckedPerCpu.of(null)).isInstanceOf(NullPointerException.class);
    }

    @Test
    void aRefCellRefusesWhatTokensAllow() {
        CheckedPerCpu<RefCell<List<String>>> variable =
                CheckedPerCpu.of(StaticPerCpu.define("ref cells", () -> new RefCell<>(new ArrayList<>())));
        try (CpuGuard guard = CpuGuard.acquire()) {
            CheckedPerCpuToken<RefCell<List<String>>> token = variable.get(guard);
            token.run(cell -> {
                try (RefCell.Ref<List<String>> borrow = cell.borrowMut()) {
                    borrow.get().add("a");
                    assertThatThrownBy(() -> variable.get(guard).run(RefCell::borrowMut))
                            .isInstanceOf(IllegalStateException.class)
                            .hasMessageContaining("already borrowed");
                }
            });
        }
    }

    @Test
    void aFunctionThatThrowsLeavesTheTokenUsable() {
        try (CpuGuard guard = CpuGuard.acquire()) {
            PerCpuToken<List<String>> token = lists.getMut(guard);
            assertThatThrownBy(() -> token.run(list -> {
                        throw new IllegalArgumentException("mine");
                    }))
                    .hasMessage("mine");
            token.run(list -> list.add("a"));
        }
    }

    @Test
    void shortFormsTakeAGuardOfTheirOwn() {
        lists.run(list -> list.add("a"));
        assertThat(lists.<Integer>with(List::size)).isLessThanOrEqualTo(1);
        int[] total = new int[1];
        lists.forEachCpu((cpu, list) -> total[0] += list.size());
        assertThat(total[0]).isEqualTo(1);
    }

    @Test
    void pointersAreEqualIfTheyPointToTheSame() {
        assertThat(lists.ptr()).isEqualTo(lists.ptr()).hasSameHashCodeAs(lists.ptr());
        assertThat(lists.ptr()).isNotEqualTo(cells.ptr());
        assertThat(lists.ptr().getPtr()).isNotNull();
        assertThatThrownBy(() -> lists.ptr().position())
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("lists");
    }

    @Test
    void aTypeOfOnesOwnCanBeAPerCpuVariable() {
        PerCpu<List<String>> own = new PerCpu<>() {
            @Override
            public PerCpuPtr<List<String>> ptr() {
                return lists.ptr();
            }
        };
        own.run(list -> list.add("a"));
        try (CpuGuard guard = CpuGuard.acquire()) {
            own.getMut(guard);
            assertAliases(() -> lists.getMut(guard), "lists");
        }
    }

    private static void assertAliases(org.assertj.core.api.ThrowableAssert.ThrowingCallable attempt, String name) {
        assertThatThrownBy(attempt)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("aliasing")
                .hasMessageContaining(name)
                .hasMessageContaining("nested guard of the same CPU: CpuGuard.acquire(guard.cpu())");
    }
}
