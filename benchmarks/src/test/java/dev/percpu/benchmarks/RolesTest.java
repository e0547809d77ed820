package dev.percpu.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.benchmarks.Role.Kind;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class RolesTest {
    @Test
    void eachBenchmarkHasARole() {
        // It throws if one has none.
        assertThat(Roles.all())
                .containsKeys(
                        AddBenchmark.class.getName() + ".perCpuAdd",
                        PoolBenchmarkVirtualThreads.class.getName() + ".threadsAlone");
    }

    /** A task that is misspelt would leave a peer alone, and ours without it. */
    @Test
    void whereThereIsAPeerOrAFloorThereIsOneOfOurs() {
        Map<String, Set<Kind>> comparisons = new TreeMap<>();
        Roles.all()
                .forEach((name, role) -> comparisons
                        .computeIfAbsent(
                                name.substring(0, name.lastIndexOf('.')) + ", " + role.task(),
                                _ -> EnumSet.noneOf(Kind.class))
                        .add(role.value()));

        // The floors that all comparisons have in common.
        comparisons.remove(FloorBenchmark.class.getName() + ", ");

        assertThat(comparisons).allSatisfy((_, kinds) -> assertThat(kinds).contains(Kind.OURS));
    }

    @Test
    void theRolesArePrintedALineForEachBenchmark() {
        ByteArrayOutputStream text = new ByteArrayOutputStream();

        Roles.print(new PrintStream(text, true, StandardCharsets.UTF_8));

        assertThat(text.toString(StandardCharsets.UTF_8).lines())
                .startsWith("Roles:")
                .hasSize(1 + Roles.all().size())
                .contains(
                        AddBenchmark.class.getName()
                                + ".threadLocalAdd\tNOT_COMPARABLE\t\t`ThreadLocal` and a plain addition",
                        ReadLockBenchmark.class.getName() + ".stampedLockWrite\tPEER\twrite\t`StampedLock`");
    }
}
