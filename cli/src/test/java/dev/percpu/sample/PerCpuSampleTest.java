package dev.percpu.sample;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.cpu.CpuMask;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PerCpuSampleTest {
    @Test
    void allStepsGoWellAlsoASecondTime() {
        List<String> first = new ArrayList<>();
        List<String> second = new ArrayList<>();

        PerCpuSample.run(first::add);
        PerCpuSample.run(second::add);

        assertThat(first)
                .extracting(step -> step.substring(0, step.indexOf(':')))
                .containsExactly("static", "checked", "dynamic", "closing", "numbers", "doubles");
        assertThat(second).isEqualTo(first);
    }

    @Test
    void contentsAreClosedOnEachPossibleCpu() {
        List<String> steps = new ArrayList<>();

        PerCpuSample.run(steps::add);

        assertThat(steps)
                .anyMatch(step ->
                        step.endsWith("once on each of " + CpuMask.possible().weight() + " possible CPUs"));
    }
}
