package dev.percpu.cli.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonParser;
import java.util.List;

/** Results as JMH writes them, without the fields that nobody reads here. */
final class Samples {
    /** The roles of the benchmarks below, each line as the benchmarks' jar prints it. */
    static final Roles ROLES = Roles.parse(List.of(
            "dev.percpu.benchmarks.AddBenchmark.perCpuAdd\tOURS\t\t`PerCpuNumeric.add`",
            "dev.percpu.benchmarks.AddBenchmark.longAdder\tPEER\t\t`LongAdder.add`",
            "dev.percpu.benchmarks.AddBenchmark.striped\tPEER\t\t`striped`",
            "dev.percpu.benchmarks.AddBenchmark.sequence\tFLOOR\t\tthe sequence in C",
            "dev.percpu.benchmarks.AddBenchmark.emptyCall\tFLOOR\t\tan empty call",
            "dev.percpu.benchmarks.FloorBenchmark.call\tFLOOR\t\ta call",
            "dev.percpu.benchmarks.AddBenchmark.ofThread\tPEER_OF_PLATFORM_THREADS\t\tone for each thread",
            "dev.percpu.benchmarks.AddBenchmark.unshared\tNOT_COMPARABLE\t\tunshared",
            "dev.percpu.benchmarks.Lock.perCpuRead\tOURS\tread\tread",
            "dev.percpu.benchmarks.Lock.stampedRead\tPEER\tread\tstamped read",
            "dev.percpu.benchmarks.Lock.perCpuWrite\tOURS\twrite\twrite",
            "dev.percpu.benchmarks.Lock.stampedWrite\tPEER\twrite\tstamped write",
            "dev.percpu.benchmarks.Pool.perCpuTake\tOURS\ttake\ttake",
            "dev.percpu.benchmarks.Sum.cupboard\tPEER\t\tcupboard"));

    static final Run RUN =
            new Run("AMD Zen 5", 2, "Linux 6.18", "25", "2026-11-25", "abcdef0", BackEnd.RSEQ, "./percpu bench");

    static final Run OTHER =
            new Run("AMD Zen 4", 2, RUN.kernel(), RUN.jdk(), "2026-11-26", RUN.commit(), RUN.backend(), RUN.command());

    private Samples() {}

    /** An entry whose forks measured these times. */
    static String entry(String name, int threads, String more, double... forks) {
        StringBuilder raw = new StringBuilder();
        double sum = 0;
        for (double fork : forks) {
            raw.append(raw.isEmpty() ? "" : ", ").append("[").append(fork).append("]");
            sum += fork;
        }
        return """
               {"benchmark": "dev.percpu.benchmarks.%s", "mode": "avgt", "threads": %d, %s
                "primaryMetric": {"score": %s, "scoreError": "NaN", "scoreUnit": "ns/op", "rawData": [%s]},
                "secondaryMetrics": {"gc.alloc.rate.norm": {"score": 1.0E-4, "scoreUnit": "B/op"}}}
               """.formatted(name, threads, more, sum / forks.length, raw);
    }

    static String entry(String name, int threads, double... forks) {
        return entry(name, threads, "", forks);
    }

    static Results results(String... entries) {
        return results(RUN, entries);
    }

    static Results results(Run run, String... entries) {
        return results(run, false, entries);
    }

    static Results results(Run run, boolean virtual, String... entries) {
        Results results = new Results();
        for (String entry : entries) {
            JsonArray array = JsonParser.parseString("[" + entry + "]").getAsJsonArray();
            int threads = array.get(0).getAsJsonObject().get("threads").getAsInt();
            results.add(array, run, new Arrangement(threads, virtual), ROLES);
        }
        return results;
    }

    /** All of them, of several runs. */
    static Results together(Results... parts) {
        Results together = new Results();
        for (Results part : parts) {
            together = part.over(together, ROLES);
        }
        return together;
    }
}
