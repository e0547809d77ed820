package dev.percpu.cli.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.regex.Pattern;

/** Takes the options of JMH, in a process of its own, and "measures" one benchmark in next to no time. */
final class FakeJmh {
    private static final String NAME = "dev.percpu.benchmarks.AddBenchmark.perCpuAdd";

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
        Files.writeString(Path.of(after("-rff", options)), """
                [{"benchmark": "%s", "threads": %s, "secondaryMetrics": {},
                  "primaryMetric": {"score": 3.0, "scoreError": 0.5, "scoreUnit": "ns/op",
                                    "rawData": [[3.0, 2.9, 3.1]]}}]
                """.formatted(NAME, after("-t", options)));
    }

    private static String after(String option, List<String> options) {
        return options.get(options.indexOf(option) + 1);
    }
}
