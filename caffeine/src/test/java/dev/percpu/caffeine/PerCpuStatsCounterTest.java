package dev.percpu.caffeine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import com.github.benmanes.caffeine.cache.stats.CacheStats;
import com.github.benmanes.caffeine.cache.stats.ConcurrentStatsCounter;
import com.github.benmanes.caffeine.cache.stats.StatsCounter;
import dev.percpu.PerCpuRuntime;
import dev.percpu.listing.Variable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whether {@link PerCpuStatsCounter} counts what Caffeine's own counter does. */
class PerCpuStatsCounterTest {

    private final PerCpuStatsCounter counter = new PerCpuStatsCounter();
    private final ConcurrentStatsCounter caffeines = new ConcurrentStatsCounter();

    private void onBoth(Consumer<StatsCounter> action) {
        action.accept(counter);
        action.accept(caffeines);
        assertThat(counter.snapshot()).isEqualTo(caffeines.snapshot());
    }

    @Test
    void startsWithNothing() {
        assertThat(counter.snapshot()).isEqualTo(CacheStats.empty());
    }

    @Test
    void countsEachKindOfEvent() {
        onBoth(stats -> stats.recordHits(1));
        onBoth(stats -> stats.recordMisses(20));
        onBoth(stats -> stats.recordLoadSuccess(300));
        onBoth(stats -> stats.recordLoadFailure(4_000));
        onBoth(stats -> stats.recordEviction(50_000, RemovalCause.SIZE));
        assertThat(counter.snapshot()).isEqualTo(CacheStats.of(1, 20, 1, 1, 4_300, 1, 50_000));
        assertThat(counter).hasToString(caffeines.toString());
    }

    @Test
    void countsWhatCaffeinesOwnCounterDoesForAnyArguments() {
        long seed = ThreadLocalRandom.current().nextLong();
        Random random = new Random(seed);
        try {
            for (int round = 0; round < 500; round++) {
                // Zeros and negative values too, and such that overflow.
                long value = random.nextLong() >> random.nextInt(64);
                int kind = random.nextInt(6);
                onBoth(stats -> record(stats, kind, value));
            }
        } catch (AssertionError e) {
            throw new AssertionError("with seed " + seed, e);
        }
    }

    private static void record(StatsCounter stats, int kind, long value) {
        switch (kind) {
            case 0 -> stats.recordHits((int) value);
            case 1 -> stats.recordMisses((int) value);
            case 2 -> stats.recordLoadSuccess(value);
            case 3 -> stats.recordLoadFailure(value);
            case 4 -> stats.recordEviction((int) value, RemovalCause.EXPIRED);
            default -> incrementBy(stats, CacheStats.of(1, 2, 3, 4, value & Long.MAX_VALUE, 6, 7));
        }
    }

    private static void incrementBy(StatsCounter stats, CacheStats by) {
        StatsCounter other = new StatsCounterOf(by);
        if (stats instanceof PerCpuStatsCounter perCpu) {
            perCpu.incrementBy(other);
        } else {
            ((ConcurrentStatsCounter) stats).incrementBy(other);
        }
    }

    @Test
    void showsTheLargestValueForASumThatOverflows() {
        onBoth(stats -> stats.recordLoadSuccess(Long.MAX_VALUE));
        onBoth(stats -> stats.recordLoadSuccess(1));
        assertThat(counter.snapshot().totalLoadTime()).isEqualTo(Long.MAX_VALUE);
        onBoth(stats -> stats.recordLoadSuccess(Long.MAX_VALUE));
        assertThat(counter.snapshot().totalLoadTime()).isEqualTo(Long.MAX_VALUE);
        // The sum of these is 3 more than 2 to the power of 64.
        onBoth(stats -> stats.recordLoadSuccess(4));
        assertThat(counter.snapshot().totalLoadTime()).isEqualTo(3);
    }

    /** Each overflows the second time. */
    @Test
    void soDoesEachOtherCount() {
        long most = Long.MAX_VALUE;
        for (int times = 0; times < 2; times++) {
            onBoth(stats -> incrementBy(stats, CacheStats.of(most, most, most, most, most, most, most)));
        }
    }

    @Test
    void refusesAnEvictionWithoutItsCauseAndCountsNothing() {
        assertThatThrownBy(() -> counter.recordEviction(1, null)).isInstanceOf(NullPointerException.class);
        assertThat(counter.snapshot()).isEqualTo(CacheStats.empty());
    }

    @Test
    void canBeAddedToItself() {
        counter.recordHits(3);
        counter.incrementBy(counter);
        assertThat(counter.snapshot().hitCount()).isEqualTo(6);
    }

    @Test
    void isListedUnderItsName() {
        var named = new PerCpuStatsCounter("sessions");
        named.recordHits(1);
        named.recordMisses(20);
        named.recordLoadSuccess(300);
        named.recordLoadSuccess(300);
        named.recordLoadFailure(4_000);
        named.recordEviction(50_000, RemovalCause.SIZE);
        Map<String, Number> listed = new LinkedHashMap<>();
        PerCpuRuntime.variables().stream()
                .filter(variable -> variable.name().equals("sessions"))
                .map(Variable::values)
                .forEach(values -> values.forEach(value -> listed.put(value.name(), value.total())));
        assertThat(listed)
                .isEqualTo(Map.of(
                        "hitCount", 1L,
                        "missCount", 20L,
                        "loadSuccessCount", 2L,
                        "loadFailureCount", 1L,
                        "totalLoadTime", 4_600L,
                        "evictionCount", 1L,
                        "evictionWeight", 50_000L));
        assertThat(named.snapshot().hitCount()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void hasTheStatisticsOfACache(boolean withOwn) {
        Supplier<StatsCounter> supplier = withOwn ? ConcurrentStatsCounter::new : PerCpuStatsCounter::new;
        Cache<Integer, Integer> cache = Caffeine.newBuilder()
                .maximumWeight(100)
                .weigher((Integer key, Integer value) -> value)
                .executor(Runnable::run)
                .recordStats(supplier)
                .build();
        for (int key = 0; key < 20; key++) {
            assertThat(cache.get(key, k -> 10)).isEqualTo(10);
        }
        cache.cleanUp();
        assertThat(cache.getAllPresent(List.of(-1, -2))).isEmpty();
        assertThatThrownBy(() -> cache.get(-3, k -> {
                    throw new IllegalStateException("no value");
                }))
                .hasMessage("no value");
        int present = cache.asMap().keySet().iterator().next();
        assertThat(cache.getIfPresent(present)).isEqualTo(10);

        CacheStats stats = cache.stats();
        assertThat(stats.hitCount()).isEqualTo(1);
        assertThat(stats.missCount()).isEqualTo(23);
        assertThat(stats.loadSuccessCount()).isEqualTo(20);
        assertThat(stats.loadFailureCount()).isEqualTo(1);
        assertThat(stats.totalLoadTime()).isPositive();
        assertThat(stats.evictionCount()).isEqualTo(10);
        assertThat(stats.evictionWeight()).isEqualTo(100);
    }

    @Test
    void losesNothingWhileManyThreadsRecord() throws InterruptedException {
        int threads = 8;
        int times = 50_000;
        List<Thread> started = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            Thread.Builder builder = i % 2 == 0 ? Thread.ofPlatform() : Thread.ofVirtual();
            started.add(builder.start(() -> {
                for (int n = 0; n < times; n++) {
                    counter.recordHits(1);
                    counter.recordMisses(2);
                    counter.recordLoadSuccess(3);
                    counter.recordLoadFailure(4);
                    counter.recordEviction(5, RemovalCause.SIZE);
                }
            }));
        }
        long before = 0;
        for (Thread thread : started) {
            while (thread.isAlive()) {
                long hits = counter.snapshot().hitCount();
                assertThat(hits).isGreaterThanOrEqualTo(before);
                before = hits;
                thread.join(1);
            }
        }
        long n = (long) threads * times;
        assertThat(counter.snapshot()).isEqualTo(CacheStats.of(n, 2 * n, n, n, 7 * n, n, 5 * n));
    }

    /** A counter that has counted the given statistics. */
    private record StatsCounterOf(CacheStats snapshot) implements StatsCounter {
        @Override
        public void recordHits(int count) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void recordMisses(int count) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void recordLoadSuccess(long loadTime) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void recordLoadFailure(long loadTime) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void recordEviction(int weight, RemovalCause cause) {
            throw new UnsupportedOperationException();
        }
    }
}
