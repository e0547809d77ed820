package dev.percpu.example;

import static org.assertj.core.api.Assertions.assertThat;

import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What the page shows of the last minute. */
class HistoryTest {
    private static final int SAMPLES = 100;
    private static final int SHOWN = 60;

    private static final long HALF_A_SECOND = 500_000_000;
    private static final long EACH_NANOS = 3_000_000;

    /** In each half second there is one request more than in the one before, on whatever CPU. */
    @Test
    void itHasTheLastSixtyIntervalsFromTheOldestOn() {
        Metrics metrics = new Metrics(new PrometheusRegistry());
        String json;
        try (History history = new History(metrics)) {
            for (int i = 0; i < SAMPLES; i++) {
                for (int request = 0; request < i; request++) {
                    metrics.begin();
                    metrics.end("/hello", 200, EACH_NANOS);
                }
                history.sample(i * HALF_A_SECOND);
            }
            json = history.json();
        }
        List<List<String>> rates = lists("rate", json);
        assertThat(rates).isNotEmpty().allSatisfy(cpu -> assertThat(cpu).hasSize(SHOWN));
        assertThat(IntStream.range(0, SHOWN)
                        .mapToObj(i -> rates.stream()
                                .mapToLong(cpu -> Long.parseLong(cpu.get(i)))
                                .sum()))
                .containsExactlyElementsOf(IntStream.range(SAMPLES - SHOWN, SAMPLES)
                        .mapToObj(requests -> 2L * requests)
                        .toList());
        assertThat(lists("micros", json).stream().flatMap(List::stream))
                .hasSize(rates.size() * SHOWN)
                .contains("3000")
                .containsOnly("null", "3000");
    }

    /** One list for each CPU. */
    private static List<List<String>> lists(String name, String json) {
        return Pattern.compile("\"" + name + "\": \\[([^\\]]*)\\]")
                .matcher(json)
                .results()
                .map(list -> List.of(list.group(1).split(", ", -1)))
                .toList();
    }
}
