package dev.percpu.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.CpuGuard;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.Machine;
import dev.percpu.testing.Seccomp;
import dev.percpu.testing.VmTest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A task on every CPU. */
@VmTest({"affinity", "cpuset", "hotplug", "many", "numa", "sparse"})
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

    /** Otherwise an assertion in a task would be lost. */
    @Test
    void anErrorOfTheTaskIsThrownToo() {
        Error error = new AssertionError("for the test");
        assertThatThrownBy(() -> CpuId.onEachCpu(_ -> {
                    throw error;
                }))
                .isSameAs(error);
    }

    /** As where there are too many threads: the error then is not the task's. */
    @Test
    @Tag("native")
    void whatTheTaskThrewIsKeptIfThereIsNoThreadForAnotherCpu() {
        Jvm.Result result = Jvm.asHere().run(ThreadsRefused.class);
        String ofTask = "IllegalArgumentException: on " + usable.getFirst();
        // With one CPU there is no other thread to start.
        assertThat(result.output())
                .contains(
                        usable.size() == 1
                                ? "thrown: java.lang." + ofTask + ", suppressed: []"
                                : ", suppressed: [java.lang." + ofTask + "]");
        assertThat(result.output().contains("OutOfMemoryError")).isEqualTo(usable.size() > 1);
    }

    /** Runs in a JVM of its own. */
    static final class ThreadsRefused {
        private ThreadsRefused() {}

        public static void main(String[] arguments) throws InterruptedException {
            Caller caller = new Caller();
            caller.start();
            caller.join();
        }
    }

    /** From the end of the first task on, the kernel refuses new threads to it. */
    private static final class Caller extends Thread {
        private static final int EAGAIN = 11;

        @Override
        public void run() {
            try {
                CpuId.onEachCpu(cpu -> {
                    while (getState() != State.WAITING) {
                        Thread.onSpinWait();
                    }
                    super.interrupt();
                    // If the task ended at once, its end could wake this thread before the interrupt does.
                    while (isInterrupted()) {
                        Thread.onSpinWait();
                    }
                    throw new IllegalArgumentException("on " + cpu);
                });
            } catch (Throwable t) {
                System.out.println("thrown: " + t + ", suppressed: " + Arrays.toString(t.getSuppressed()));
            }
        }

        /** Called by itself, between one task and the next: its wait for the task was interrupted. */
        @Override
        public void interrupt() {
            Seccomp.refuse(Machine.Call.CLONE, EAGAIN);
            Seccomp.refuse(Machine.Call.CLONE3, EAGAIN);
        }
    }

    @Test
    void isRefusedToWhoHoldsAGuard() {
        try (CpuGuard guard = CpuGuard.acquire()) {
            assertThatThrownBy(() -> CpuId.onEachCpu(cpu -> {}))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("holds the guard of " + guard.cpu())
                    .hasMessageContaining("must not wait for a task on each CPU");
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
