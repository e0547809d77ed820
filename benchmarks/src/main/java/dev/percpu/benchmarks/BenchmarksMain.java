package dev.percpu.benchmarks;

import java.io.IOException;

/** JMH with its own command line, and one option more: {@code --roles} prints the {@link Role} of each benchmark. */
public final class BenchmarksMain {
    private BenchmarksMain() {}

    public static void main(String[] args) throws IOException {
        if (args.length == 1 && args[0].equals("--roles")) {
            Roles.print(System.out);
        } else {
            org.openjdk.jmh.Main.main(args);
        }
    }
}
