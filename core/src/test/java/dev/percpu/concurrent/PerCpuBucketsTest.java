package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.percpu.PerCpuRuntime;
import dev.percpu.cpu.CpuId;
import dev.percpu.listing.Value;
import dev.percpu.memory.AreaFullException;
import dev.percpu.testing.Effort;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;

/** Counts by bucket, and a sum of doubles. Hot threads that share them are in {@link OwnPlaceExactnessTest}. */
class PerCpuBucketsTest {
    /** So far from the greatest number that no part of the sum is infinite, in whatever order. */
    @Property(tries = 200)
    void countsAndAddsUp(@ForAll List<@DoubleRange(min = -1e300, max = 1e300) Double> values) {
        PerCpuBuckets buckets = new PerCpuBuckets(3);
        long[] counts = new long[3];
        double sum = 0;
        for (int i = 0; i < values.size(); i++) {
            buckets.record(i * i % 3, values.get(i));
            counts[i * i % 3]++;
            sum += values.get(i);
        }
        assertThat(buckets.counts()).isEqualTo(counts);
        double largest = values.stream().mapToDouble(Math::abs).max().orElse(0);
        assertThat(buckets.sum()).isCloseTo(sum, within(largest * 1e-12));
    }

    @Test
    void whatIsNoNumberAddsUpAsInJava() {
        PerCpuBuckets buckets = new PerCpuBuckets(1);
        buckets.record(0, -0.0);
        assertThat(buckets.sum()).isEqualTo(0.0);
        buckets.record(0, Double.POSITIVE_INFINITY);
        assertThat(buckets.sum()).isEqualTo(Double.POSITIVE_INFINITY);
        buckets.record(0, Double.NaN);
        buckets.record(0, 1);
        assertThat(buckets.sum()).isNaN();
        assertThat(buckets.counts()).containsExactly(4);
    }

    @Test
    void sumsUpAllCpus() {
        PerCpuBuckets buckets = new PerCpuBuckets("by size", 5);
        AtomicInteger cpus = new AtomicInteger();
        CpuId.onEachCpu(cpu -> {
            buckets.record(4, 0.5);
            cpus.incrementAndGet();
        });
        assertThat(listed("by size")).containsExactly(1L * cpus.get(), 0.5 * cpus.get());
        assertThat(buckets.counts()).containsExactly(0, 0, 0, 0, cpus.get());
        assertThat(buckets.sum()).isEqualTo(0.5 * cpus.get());
    }

    private static List<Number> listed(String name) {
        return PerCpuRuntime.variables().stream()
                .filter(variable ->
                        variable.name().equals(name) && variable.type().equals("PerCpuBuckets"))
                .flatMap(variable -> variable.values().stream())
                .map(Value::total)
                .toList();
    }

    /** Virtual threads, which have no place of their own, and so use the sequence. */
    @Test
    void nothingIsLostByVirtualThreads() throws InterruptedException {
        PerCpuBuckets buckets = new PerCpuBuckets(7);
        int each = Effort.scaled(50_000);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            threads.add(Thread.ofVirtual().start(() -> {
                for (int n = 0; n < each; n++) {
                    buckets.record(n % 7, 0.5);
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(Arrays.stream(buckets.counts()).sum()).isEqualTo(6L * each);
        assertThat(buckets.sum()).isEqualTo(3.0 * each);
    }

    @Test
    void refusesBucketsThatItHasNot() {
        PerCpuBuckets buckets = new PerCpuBuckets(3);
        PerCpuBuckets neighbour = new PerCpuBuckets(3);
        for (int bucket : new int[] {-1, 3, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            assertThatThrownBy(() -> buckets.record(bucket, 1))
                    .isInstanceOf(IndexOutOfBoundsException.class)
                    .hasMessageContaining("" + bucket);
        }
        assertThat(buckets.sum()).isZero();
        assertThat(neighbour.counts()).containsOnly(0);
        assertThat(neighbour.sum()).isZero();
        assertThat(new PerCpuBuckets(0).counts()).isEmpty();
        assertThatThrownBy(() -> new PerCpuBuckets("by size", -1))
                .isInstanceOf(NegativeArraySizeException.class)
                .hasMessage("by size of length -1: the length must be at least 0");
        assertThatThrownBy(() -> new PerCpuBuckets(Integer.MAX_VALUE)).isInstanceOf(AreaFullException.class);
    }
}
