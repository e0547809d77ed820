package dev.percpu.benchmarks;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;

/**
 * JMH with its own command line, and options of its own. {@code --roles} prints the {@link Role} of each benchmark,
 * {@code --curves} measures {@link MemoryUse} and {@link ManyThreads}, and {@code --start-up} measures {@link StartUp},
 * with its options. What JMH measures is {@linkplain Exactness checked}.
 */
public final class BenchmarksMain {
    private BenchmarksMain() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        if (args.length == 1 && args[0].equals("--roles")) {
            Roles.print(System.out);
        } else if (args.length == 1 && args[0].equals("--curves")) {
            System.out.println(Curve.HEADER);
            MemoryUse.print(System.out);
            ManyThreads.print(System.out);
        } else if (args.length > 0 && args[0].equals("--start-up")) {
            StartUp.print(System.out, List.of(args).subList(1, args.length));
        } else {
            org.openjdk.jmh.Main.main(Stream.concat(Stream.of("-prof", Exactness.class.getName()), Stream.of(args))
                    .toArray(String[]::new));
        }
    }
}
