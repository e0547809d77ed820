package dev.percpu.cli.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Takes the options of JMH, in a process of its own, and "measures" one benchmark in next to no time. */
final class FakeJmh {
    private static final String NAME = "dev.percpu.benchmarks.AddBenchmark.perCpuAdd";

    private static final String PEER = "dev.percpu.benchmarks.AddBenchmark.longAdder";

    /** With this regular expression it measures the peer, too. */
    static final String WITH_PEER = "perCpuAdd|longAdder";

    /** With this regular expression it finds a benchmark, and ends with status 1. */
    static final String FAILING = "perCpuAdd|fail";

    private FakeJmh() {}

    public static void main(String[] args) throws IOException {
        List<String> options = Arrays.asList(args);
        String regex = options.getLast();
        // As JMH does.
        for (String option : List.of("-bm", "-f", "-r", "-t", "-w", "-wi")) {
            if (Collections.frequency(options, option) > 1) {
                System.out.println("Found multiple arguments for option " + option);
                System.exit(1);
            }
        }
        if (options.contains("--roles")) {
            System.out.println("Roles:");
            System.out.println(NAME + "\tOURS\t\t`add`");
            System.out.println(PEER + "\tPEER\t\t`LongAdder.add`");
            return;
        }
        if (options.contains("--curves")) {
            System.out.println("working at it");
            if (Pattern.compile(regex).matcher("Memory").find()) {
                System.out.println("Memory\tbytes\tcounters\tOURS\t`PerCpuCounter`\t10=24.5\t1,000=24,23,25");
                System.out.println("Server\t\tpart\tOURS\tours\tin a second=3,2,4\tmedian=1,0.5,4");
            }
            return;
        }
        if (options.contains("-l")) {
            System.out.println("Benchmarks: ");
            if (Pattern.compile(regex).matcher(NAME).find()) {
                System.out.println(NAME);
            }
            return;
        }
        if (options.getLast().equals(FAILING)) {
            System.out.println("options: " + options);
            System.exit(1);
        }
        System.out.println("# Benchmark: " + NAME);
        System.out.println("# Run progress: 50.00% complete, ETA 00:00:01");
        String threads = after("-t", options);
        List<String> results = new ArrayList<>(List.of(result(NAME, threads, 3.0)));
        if (regex.equals(WITH_PEER)) {
            results.add(result(PEER, threads, 30.0));
        }
        Files.writeString(Path.of(after("-rff", options)), results.toString());
    }

    private static String result(String name, String threads, double nanos) {
        return String.format(Locale.ROOT, """
                {"benchmark": "%s", "threads": %s, "secondaryMetrics": {},
                  "primaryMetric": {"score": %.1f, "scoreError": 0.5, "scoreUnit": "ns/op",
                                    "rawData": [[%.1f, %.1f, %.1f]]}}
                """, name, threads, nanos, nanos, nanos - 0.1, nanos + 0.1);
    }

    private static String after(String option, List<String> options) {
        return options.get(options.indexOf(option) + 1);
    }
}
