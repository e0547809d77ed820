package dev.percpu.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
class ProgressTest {
    private final List<String> said = new ArrayList<>();
    private final AtomicLong clock = new AtomicLong();

    @Test
    void countsOverAllRunsAndTellsHowLongTheRestTakes() {
        Progress progress = new Progress(2, said::add, clock::get);
        progress.next(new Arrangement(1, false));
        progress.line("# Benchmark: dev.percpu.benchmarks.AddBenchmark.perCpuAdd");
        progress.line("# Run progress: 0.00% complete, ETA 00:00:08");
        clock.set(TimeUnit.SECONDS.toNanos(10));
        progress.line("# Run progress: 50.00% complete, ETA 00:00:04");
        progress.next(new Arrangement(4, true));
        progress.line("# Benchmark: dev.percpu.benchmarks.Lock.read");
        clock.set(TimeUnit.MINUTES.toNanos(10));
        progress.line("# Run progress: 0.00% complete, ETA 00:00:08");

        assertThat(said)
                .containsExactly(
                        "  0%  AddBenchmark.perCpuAdd, 1 thread",
                        " 25%, 30 s left  AddBenchmark.perCpuAdd, 1 thread",
                        " 50%, 10 min left  Lock.read, 4 virtual threads");
    }

    @Test
    void someCountriesWriteAComma() {
        Progress progress = new Progress(1, said::add, clock::get);
        progress.next(new Arrangement(1, false));
        progress.line("# Benchmark: dev.percpu.benchmarks.AddBenchmark.perCpuAdd");
        progress.line("# Run progress: 0,00% complete, ETA 00:00:08");

        assertThat(said).containsExactly("  0%  AddBenchmark.perCpuAdd, 1 thread");
    }

    @Test
    void whatIsLeftOutIsSaidInTheFirstRun() {
        Progress progress = new Progress(2, said::add, clock::get);
        progress.next(new Arrangement(1, false));
        progress.line("Left out: the sequence in C");
        progress.next(new Arrangement(2, false));
        progress.line("Left out: the sequence in C");

        assertThat(said).containsExactly("Left out: the sequence in C");
    }
}
