package dev.percpu.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.benchmarks.measure.Role.Kind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
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

    /** A page shows how ours stands, also where it is bad. */
    @Test
    void eachComparisonWithAPeerIsInATableOfAPage() throws IOException {
        Pattern table = Pattern.compile("<!-- (?:figures|figures of sequences|ratios): ([^>]+?) -->");
        Set<String> shown = new TreeSet<>();
        Path home = Path.of("..");
        try (Stream<Path> docs = Files.list(home.resolve("docs"))) {
            for (Path page : Stream.concat(Stream.of(home.resolve("README.md")), docs)
                    .filter(file -> file.toString().endsWith(".md"))
                    .toList()) {
                table.matcher(Files.readString(page)).results().forEach(found -> {
                    for (String name : found.group(1).split("; ", -1)) {
                        // One with parameters stands in several tables.
                        shown.add(name.replaceFirst(" \\{.*}$", ""));
                    }
                });
            }
        }
        Set<String> withPeer = new TreeSet<>();
        Roles.all().forEach((name, role) -> {
            if (role.value() == Kind.PEER || role.value() == Kind.PEER_OF_PLATFORM_THREADS) {
                String type = name.substring(0, name.lastIndexOf('.'));
                withPeer.add(
                        type.substring(type.lastIndexOf('.') + 1) + (role.task().isEmpty() ? "" : ", " + role.task()));
            }
        });

        assertThat(shown).containsAll(withPeer);
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
