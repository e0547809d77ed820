package dev.percpu.cli;

import dev.percpu.PerCpuRuntime;
import dev.percpu.cli.demo.CpuShare;
import dev.percpu.cli.demo.Demo;
import dev.percpu.cli.demo.ReferenceCount;
import dev.percpu.cli.demo.Totals;
import dev.percpu.cli.output.CliException;
import dev.percpu.cli.output.Console;
import dev.percpu.cli.output.Messages;
import dev.percpu.cli.output.TextTable;
import dev.percpu.sample.PerCpuSample;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs the sample, and counts real files. */
@Command(
        name = "demo",
        description = {
            "Shows per-CPU variables at work: runs the sample program, then counts the bytes, the lines and each byte"
                    + " value of real files in many threads, and checks every total against a plain count in one"
                    + " thread. The exit status is 1 if anything differs."
        },
        sortOptions = false)
final class DemoCommand implements Callable<Integer> {
    private final Console console;

    private final Supplier<ReferenceCount> reference;

    @Parameters(
            paramLabel = "PATH",
            arity = "0..*",
            description = "Files and directories to count. Default: the home directory of the Java that runs this.")
    private List<Path> paths = List.of(Path.of(System.getProperty("java.home")));

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    /**
     * Makes the command.
     *
     * @param reference makes what the totals are compared with
     */
    DemoCommand(Console console, Supplier<ReferenceCount> reference) {
        this.console = console;
        this.reference = reference;
    }

    @Override
    public Integer call() {
        PrintWriter out = console.out();
        String backend = PerCpuRuntime.backend();
        List<String> sample = new ArrayList<>();
        if (!json) {
            out.println("Back end " + backend + ": " + PerCpuRuntime.backendReason());
            out.println();
            out.println("The sample:");
        }
        runSample(step -> {
            sample.add(step);
            if (!json) {
                out.println("  " + step);
                out.flush();
            }
        });

        Demo.Result result = Demo.run(console, reference, paths);
        if (json) {
            out.println(Json.write(DemoJson.of(backend, sample, result)));
        } else {
            print(result, out);
        }
        result.differences().forEach(difference -> console.say("wrong total: " + difference));
        return result.differences().isEmpty() ? 0 : 1;
    }

    private static void runSample(Consumer<String> narrator) {
        try {
            PerCpuSample.run(narrator);
        } catch (IllegalStateException e) {
            throw new CliException("the sample failed: " + e.getMessage(), e);
        }
    }

    private void print(Demo.Result result, PrintWriter out) {
        Totals totals = result.counted();
        out.println();
        out.println("Files below "
                + String.join(", ", paths.stream().map(Messages::printable).toList()) + ":");
        TextTable table = new TextTable("  CPU", "files", "bytes", "lines", "buffers", "guarded updates");
        for (CpuShare share : result.shares()) {
            table.add(
                    "  " + share.cpu(),
                    number(share.files()),
                    number(share.bytes()),
                    number(share.lines()),
                    number(share.buffers()),
                    number(share.guarded()));
        }
        table.add(
                "  all",
                number(totals.files()),
                number(totals.bytes()),
                number(totals.lines()),
                number(result.shares().stream().mapToLong(CpuShare::buffers).sum()),
                number(totals.pieces()));
        table.print(out);
        out.println();
        out.println("  longest line: " + totals.longest());
        out.println("  skipped: " + number(result.skipped().size()));
        out.printf(
                Locale.ROOT,
                "  counted in %.1f s by %d threads, half of them virtual; checked in %.1f s%n",
                result.seconds(),
                result.threads(),
                result.referenceSeconds());
        if (result.differences().isEmpty()) {
            out.println("  a plain count in one thread came to the same totals, for each of the 256 byte values too");
            out.println();
            out.println("demo: ok");
        } else {
            out.println();
            result.differences().forEach(difference -> out.println("demo: wrong total: " + difference));
        }
    }

    private static String number(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }
}
