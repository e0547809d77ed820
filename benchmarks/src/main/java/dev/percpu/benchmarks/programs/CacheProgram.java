package dev.percpu.benchmarks.programs;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.stats.CacheStats;
import dev.percpu.benchmarks.measure.Role;
import dev.percpu.caffeine.PerCpuStatsCounter;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.LongAdder;

/**
 * How much slower is a Caffeine cache with statistics, its own or those that are kept per CPU?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar --curves cache
 * </pre>
 *
 * <p>It imitates Caffeine's own {@code GetPutBenchmark}: as many keys, as large a cache, keys by Zipf's law, and all of
 * them in the cache. But there are as many threads as CPUs, where that one has eight. And each thread makes both reads
 * and writes, where that one has six threads that read and two that write.
 */
final class CacheProgram implements Program {
    private static final String NONE = "no statistics";
    private static final String OWN = "Caffeine's own statistics";
    private static final String PER_CPU = "`percpu-caffeine`";

    /** As there. */
    private static final int SIZE = 2 << 14;

    private static final int MASK = SIZE - 1;
    private static final int ITEMS = SIZE / 3;
    private static final double ZIPF = 0.99;

    private static final int AT_ONCE = 100;
    private static final int PUT_EVERY = 4;

    private final boolean puts;

    CacheProgram(boolean puts) {
        this.puts = puts;
    }

    @Override
    public String title() {
        return puts ? "cache, 75% reads" : "cache, read only";
    }

    @Override
    public List<String> variants() {
        return List.of(NONE, OWN, PER_CPU);
    }

    @Override
    public Role.Kind role(String variant) {
        return variant.equals(NONE) ? Role.Kind.FLOOR : Program.super.role(variant);
    }

    @Override
    public Result run(String variant, Timing timing) throws InterruptedException {
        Caffeine<Object, Object> builder = Caffeine.newBuilder().maximumSize(2 * SIZE);
        Cache<Integer, Boolean> cache = switch (variant) {
            case OWN -> builder.recordStats().build();
            case PER_CPU -> builder.recordStats(PerCpuStatsCounter::new).build();
            default -> builder.build();
        };
        Integer[] keys = keys();
        for (Integer key : keys) {
            cache.put(key, Boolean.TRUE);
        }
        LongAdder found = new LongAdder();
        Result result = Load.run(Runtime.getRuntime().availableProcessors(), AT_ONCE, timing, number -> {
            int[] next = {number * SIZE / 2};
            return () -> found.add(steps(cache, keys, next));
        });
        CacheStats stats = cache.stats();
        if (!variant.equals(NONE) && stats.hitCount() != found.sum()) {
            throw new IllegalStateException(variant + " counted " + stats.hitCount() + " hits of " + found.sum());
        }
        return result;
    }

    /** A hundred operations; returns how many found a value. */
    private long steps(Cache<Integer, Boolean> cache, Integer[] keys, int[] next) {
        long found = 0;
        for (int i = 0; i < AT_ONCE; i++) {
            Integer key = keys[next[0]++ & MASK];
            if (puts && i % PUT_EVERY == 0) {
                cache.put(key, Boolean.FALSE);
            } else if (cache.getIfPresent(key) != null) {
                found++;
            }
        }
        return found;
    }

    /** The n-th key is drawn with a probability of about 1/n; they are in no order. */
    private static Integer[] keys() {
        Random random = new Random(1);
        double[] upTo = new double[ITEMS];
        double sum = 0;
        for (int i = 0; i < ITEMS; i++) {
            sum += 1 / Math.pow(i + 1.0, ZIPF);
            upTo[i] = sum;
        }
        Integer[] names = new Integer[ITEMS];
        Arrays.setAll(names, i -> random.nextInt());
        Integer[] keys = new Integer[SIZE];
        for (int i = 0; i < SIZE; i++) {
            int drawn = Arrays.binarySearch(upTo, random.nextDouble() * sum);
            keys[i] = names[Math.min(drawn >= 0 ? drawn : ~drawn, ITEMS - 1)];
        }
        return keys;
    }
}
