package stranger;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.stats.CacheStats;
import dev.percpu.caffeine.PerCpuStatsCounter;

final class UsesCaffeine {

    private UsesCaffeine() {}

    static String run() throws InterruptedException {
        Cache<String, Integer> cache =
                Caffeine.newBuilder().recordStats(PerCpuStatsCounter::new).build();
        int length = cache.get("key", String::length);
        Main.inThreads(() -> {
            if (cache.getIfPresent("key") != length) {
                throw new IllegalStateException("another value");
            }
        });
        CacheStats stats = cache.stats();
        return stats.hitCount() + " hits, " + stats.missCount() + " miss, " + stats.loadSuccessCount() + " load";
    }
}
