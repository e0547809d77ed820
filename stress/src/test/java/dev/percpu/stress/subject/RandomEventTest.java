package dev.percpu.stress.subject;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RandomEventTest {
    private static final int EVENTS = 1000;
    private static final int RECORDS = 10;

    private static final Pattern VARIABLES = Pattern.compile("updates (\\d+) variables$");

    /** Those that it must have, with none of the others, some of them, or all. */
    @Test
    void anEventHasAnyNumberOfUpdates() {
        Random random = new Random(1);
        Map<Integer, Set<Integer>> variables = new HashMap<>();
        for (int i = 0; i < EVENTS; i++) {
            RandomEvent event = new RandomEvent(random);
            Matcher updates = VARIABLES.matcher(event.event().toString());
            assertThat(updates.find()).isTrue();
            variables.computeIfAbsent(event.arguments(), _ -> new HashSet<>()).add(Integer.valueOf(updates.group(1)));
            for (int n = 0; n < RECORDS; n++) {
                event.record(random);
            }
            event.verify();
        }
        assertThat(variables)
                .isEqualTo(Map.of(
                        0, between(1, 2),
                        1, between(2, 5),
                        2, between(3, 10),
                        3, between(4, 12)));
    }

    private static Set<Integer> between(int least, int most) {
        return IntStream.rangeClosed(least, most).boxed().collect(Collectors.toSet());
    }
}
