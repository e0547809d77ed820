package dev.percpu.stress;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.openjdk.jcstress.JCStress;
import org.openjdk.jcstress.Options;
import org.openjdk.jcstress.infra.Status;
import org.openjdk.jcstress.infra.collectors.DiskReadCollector;
import org.openjdk.jcstress.infra.collectors.InProcessCollector;
import org.openjdk.jcstress.infra.collectors.TestResult;

/**
 * jcstress with its own command line, except that a run in which a test did not work fails. By itself jcstress is
 * content if no forbidden outcome was seen, even if none was seen at all as no JVM could be started.
 */
public final class JcstressMain {
    /** With fewer, jcstress finds no place for two threads at a time. */
    private static final int LEAST_CPUS = 2;

    private JcstressMain() {}

    /** The long set of tests on a back end, with a report in a directory of its own. */
    static void runLong(String backend) throws Exception {
        main(new String[] {
            "-m",
            "default",
            // Each actor of a test gets the same compiler; the combinations of them take eight times as long.
            "-sc",
            "false",
            "-r",
            "report-" + backend,
            "-jvmArgs",
            "--enable-native-access=ALL-UNNAMED -Dpercpu.backend=" + backend
        });
    }

    public static void main(String[] args) throws Exception {
        Options options = new Options(args);
        if (!options.parse()) {
            throw new IllegalArgumentException("jcstress does not understand: " + String.join(" ", args));
        }
        JCStress jcstress = new JCStress(options);
        if (options.shouldList()) {
            jcstress.getTests().forEach(System.out::println);
            return;
        }
        if (Runtime.getRuntime().availableProcessors() < LEAST_CPUS) {
            System.out.println("Nothing is run: it takes " + LEAST_CPUS + " CPUs.");
            return;
        }
        jcstress.run();
        check(results(options.getResultFile()));
    }

    private static Collection<TestResult> results(String file) throws Exception {
        InProcessCollector results = new InProcessCollector();
        DiskReadCollector reader = new DiskReadCollector(file, results);
        try {
            reader.dump();
        } finally {
            reader.close();
        }
        return results.getTestResults();
    }

    private static void check(Collection<TestResult> results) {
        List<String> failures = new ArrayList<>();
        for (TestResult result : results) {
            if (result.status() != Status.NORMAL || result.isEmpty() || !result.grading().isPassed) {
                failures.add(result.getName() + ": " + result.status() + ", " + result.getTotalCount() + " samples, "
                        + result.getVmErr());
            }
        }
        if (results.isEmpty() || !failures.isEmpty()) {
            throw new AssertionError(
                    failures.size() + " of " + results.size() + " runs failed\n" + String.join("\n", failures));
        }
        System.out.println(results.size() + " runs, all of them as they should be.");
    }
}
