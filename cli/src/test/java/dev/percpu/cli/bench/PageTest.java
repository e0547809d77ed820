package dev.percpu.cli.bench;

import static dev.percpu.cli.bench.Samples.RUN;
import static dev.percpu.cli.bench.Samples.entry;
import static dev.percpu.cli.bench.Samples.results;
import static dev.percpu.cli.bench.Samples.together;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
class PageTest {
    /** Such as a pool that keeps nothing for virtual threads. */
    @Test
    void whatIsNoPeerOfVirtualThreadsIsASeriesOfItsOwnThere() {
        Results all = together(
                results(RUN, false, entry("AddBenchmark.ofThread", 2, 1.0)),
                results(RUN, true, entry("AddBenchmark.ofThread", 2, 4.0)));

        String html = new Page(all, Curves.none(), "a command").html();

        assertThat(html)
                .contains(
                        "\"label\":\"one for each thread\",\"role\":\"PEER\",\"backEnd\":\"rseq\",\"points\":[{\"nanos\":1.0",
                        "\"label\":\"one for each thread\",\"role\":\"NOT_COMPARABLE\",\"backEnd\":\"rseq\",\"points\":[{},"
                                + "{\"nanos\":4.0");
    }
}
