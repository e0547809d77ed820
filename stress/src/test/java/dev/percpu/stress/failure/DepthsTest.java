package dev.percpu.stress.failure;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Which depths are tried of an operation that takes so much of the stack. */
class DepthsTest {
    private static final int END = 2000;
    private static final int DEPTH = 1040;

    /** The first depth at which each step fails. */
    private static final NavigableMap<Integer, String> STEPS =
            new TreeMap<>(Map.of(0, "first", 4, "second", 13, "third", 20, "look", 1021, "last but one", 1027, "last"));

    private final List<Integer> tried = new ArrayList<>();
    private final Set<String> failed = new LinkedHashSet<>();

    private static @Nullable String step(int depth) {
        return depth < DEPTH ? STEPS.floorEntry(depth).getValue() : null;
    }

    private void run(Depths depths) {
        while (!depths.isOver()) {
            String step = step(depths.depth());
            tried.add(depths.depth());
            if (step != null) {
                failed.add(step);
            }
            depths.next(step);
        }
        assertThat(depths.hasPassed()).isTrue();
    }

    @Test
    void eachDepthIsTriedUntilTheOperationPassedOftenEnough() {
        run(Depths.each(END));
        assertThat(tried).hasSize(DEPTH + 24).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void ofSomeDepthsEachStepFailsAndLongStepsFailFewTimes() {
        run(Depths.some(END));
        assertThat(failed).containsExactlyInAnyOrderElementsOf(STEPS.values());
        assertThat(tried).hasSizeLessThan(60);
        // The last leap found that it passed, so the depths before it were tried, and then those after it.
        assertThat(tried.getLast()).isBetween(DEPTH + 20, DEPTH + 28);
    }

    @Test
    void anOperationThatNeverPassesIsTriedUpToTheEnd() {
        Depths depths = Depths.some(END);
        int rounds = 0;
        for (; !depths.isOver(); rounds++) {
            depths.next("look");
        }
        assertThat(depths.hasPassed()).isFalse();
        assertThat(depths.depth()).isGreaterThanOrEqualTo(END);
        assertThat(rounds).isBetween(END / 40, END / 20);
    }
}
