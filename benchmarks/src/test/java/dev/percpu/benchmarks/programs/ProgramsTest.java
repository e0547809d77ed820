package dev.percpu.benchmarks.programs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import dev.percpu.benchmarks.measure.Role;
import dev.percpu.benchmarks.measure.Spread;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** The programs do what they say, and what they print is what was measured. */
class ProgramsTest {
    private static final Duration BRIEFLY = Duration.ofMillis(40);

    /** On a busy machine, threads may not get a CPU for a while. */
    private static final Duration LONGEST = BRIEFLY.multipliedBy(1 << 8);

    private static Timing brief() {
        return new Timing(Duration.ZERO, BRIEFLY);
    }

    /**
     * The cache's statistics are compared with what was found; a document that reads as nothing is an error. Each run
     * has measured something, and some of its operations have been timed.
     */
    @Test
    void eachPartRuns() throws Exception {
        List<Program> programs =
                List.of(new CacheProgram(false), new CacheProgram(true), new JsonProgram(false), new JsonProgram(true));
        for (Program program : programs) {
            for (String variant : program.variants()) {
                String part = program.title() + ", " + variant;
                Result result = measured(program, variant);
                assertThat(result.perSecond()).as(part).isPositive();
                assertThat(result.medianNanos()).as(part).isPositive();
                assertThat(result.p99Nanos()).as(part).isGreaterThanOrEqualTo(result.medianNanos());
            }
        }
    }

    @Test
    void whatIsMadeOfThisLibraryIsOurs() {
        for (Program program : Programs.PROGRAMS) {
            for (String variant : program.variants()) {
                assertThat(program.role(variant) == Role.Kind.OURS)
                        .as(program.title() + ", " + variant)
                        .isEqualTo(variant.contains("percpu"));
            }
        }
    }

    /** Runs briefly, and longer if nothing was timed; the last result says nothing if nothing ever was. */
    private static Result measured(Program program, String variant) throws Exception {
        Duration time = BRIEFLY;
        Result result = program.run(variant, brief());
        while (result.medianNanos() == 0 && time.compareTo(LONGEST) < 0) {
            time = time.multipliedBy(2);
            result = program.run(variant, new Timing(Duration.ZERO, time));
        }
        return result;
    }

    @Test
    void aResultCrossesTheBorderOfAProcess() {
        Result result = new Result(53848000.5, 530, 2670.5);
        assertThat(Result.parse("a warning\n" + result.line() + "\n")).isEqualTo(result);
        assertThatThrownBy(() -> Result.parse("no such part"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no such part");
    }

    @Test
    void readsWhatWrkPrints() {
        String output = """
                Running 2s test @ http://127.0.0.1:8080/hello
                  1 threads and 16 connections
                  Thread Stats   Avg      Stdev     Max   +/- Stdev
                    Latency   623.27us    1.15ms  22.49ms   94.87%
                    Req/Sec    41.29k     3.16k   45.31k    80.00%
                  Latency Distribution
                     50%  321.00us
                     75%  489.00us
                     90%    1.15ms
                     99%    5.54ms
                  82345 requests in 2.01s, 9.03MB read
                Requests/sec:  41052.75
                Transfer/sec:      4.50MB
                """;
        assertThat(ServerProgram.parse(output)).isEqualTo(new Result(41052.75, 321_000, 5_540_000));
        assertThat(ServerProgram.requests(output)).isEqualTo(82_345);
        for (String failure : List.of(
                "  Socket errors: connect 0, read 3, write 0, timeout 0\n", "  Non-2xx or 3xx responses: 12\n")) {
            assertThatThrownBy(() -> ServerProgram.requests(output + failure))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining(failure.strip());
        }
        assertThatThrownBy(() -> ServerProgram.parse("unable to connect"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("unable to connect");
    }

    /** Waiting for all threads cannot be interrupted. */
    @Test
    @Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD)
    void aThreadThatThrowsEndsTheRunWithAnError() {
        assertFailsWith("full", _ -> {
            throw new IOException("full");
        });
        assertFailsWith("read back as nothing", _ -> true);
    }

    private static void assertFailsWith(String message, JsonProgram.RoundTrip roundTrip) {
        JsonProgram.Run run = new JsonProgram.Run(roundTrip, "a document", brief());
        assertThatThrownBy(run::result)
                .isInstanceOf(IllegalStateException.class)
                .hasRootCauseMessage(message);
    }

    @Test
    void aStepCountsAsAllItsOperations() {
        Histogram steps = new Histogram(2);
        steps.recordValueWithCount(10, 98);
        steps.recordValueWithCount(70, 2);

        assertThat(Load.result(steps, 100, Duration.ofSeconds(2).toNanos())).isEqualTo(new Result(5_000, 10, 70));
    }

    @Test
    void theColumnsAreTheMedianOfAllRoundsAndTheirSpread() {
        List<Result> runs = List.of(
                new Result(3_000_000, 1_000, 30_000),
                new Result(1_000_000, 3_000, 10_000),
                new Result(1_234_400, 2_000, 123_456));
        assertThat(Programs.columns(runs))
                .containsExactly(
                        entry("1,000 in a second", new Spread(1_234.4, 1_000, 3_000)),
                        entry("median, us", new Spread(2, 1, 3)),
                        entry("99%, us", new Spread(30, 10, 123.456)));
    }
}
