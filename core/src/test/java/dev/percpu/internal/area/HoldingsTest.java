package dev.percpu.internal.area;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.Effort;
import dev.percpu.testing.LogCapture;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 2, unit = TimeUnit.MINUTES)
class HoldingsTest {
    private static final int HOLDERS = 4 * Effort.scaled(2_500);

    /** Which pieces were given back, with their sizes, and how often. */
    private final Map<Long, List<Long>> given = new ConcurrentHashMap<>();

    /** In a field, as what a local variable refers to may be collected before its last use in the source. */
    private final List<Object> holders = new ArrayList<>();

    private final Holdings holdings = new Holdings((position, bytes) ->
            given.computeIfAbsent(position, _ -> new ArrayList<>()).add(bytes));

    @Test
    void eachPieceComesBackOnceAndOnlyIfItsHolderIsGone() throws InterruptedException {
        for (int i = 0; i < HOLDERS; i++) {
            Object holder = new Object();
            holdings.add(holder, position(i), i + 1);
            holders.add(holder);
        }
        // In an order that has nothing to do with the one in which they were added.
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < HOLDERS; i++) {
            order.add(i);
        }
        Collections.shuffle(order, new Random(1));
        for (int gone = HOLDERS / 4; gone <= HOLDERS; gone += HOLDERS / 4) {
            for (int i : order.subList(0, gone)) {
                holders.set(i, null);
            }
            awaitGiven(gone);
            for (int i : order.subList(0, gone)) {
                assertThat(given.get((long) position(i))).containsExactly(i + 1L);
            }
            for (int i : order.subList(gone, HOLDERS)) {
                assertThat(given).doesNotContainKey((long) position(i));
            }
        }
    }

    @Test
    void aFailureKeepsNoOtherPieceBack() throws InterruptedException {
        try (var log = new LogCapture()) {
            Holdings failing = new Holdings((position, bytes) -> {
                given.put(position, List.of(bytes));
                throw new IllegalStateException("cannot");
            });
            for (int i = 0; i < 10; i++) {
                failing.add(new Object(), position(i), 1);
            }
            awaitGiven(10);
            assertThat(log.first()).startsWith("WARNING").contains("could not be given back");
        }
    }

    private void awaitGiven(int pieces) throws InterruptedException {
        while (given.size() < pieces) {
            System.gc();
            Thread.sleep(1);
        }
    }

    private static int position(int i) {
        return 64 * i;
    }
}
