package dev.percpu.cli;

import dev.percpu.PerCpuRuntime;
import dev.percpu.PerCpuRuntime.DeepSelfTest;
import dev.percpu.PerCpuRuntime.Outcome;
import dev.percpu.cli.output.CliException;
import dev.percpu.cli.output.Console;
import dev.percpu.cpu.CpuMask;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Tells which back end runs, why, and what the machine offers. */
@Command(
        name = "info",
        description = "Tells how per-CPU variables run here and why: CPUs, restartable sequences, back end.",
        sortOptions = false)
final class InfoCommand implements Callable<Integer> {
    private final Console console;
    private final Supplier<DeepSelfTest> deepSelfTest;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Option(names = "--self-test", description = "Run the deep self-test too; the exit status is 1 if it fails.")
    private boolean selfTest;

    /**
     * Makes the command.
     *
     * @param deepSelfTest runs the deep self-test
     */
    InfoCommand(Console console, Supplier<DeepSelfTest> deepSelfTest) {
        this.console = console;
        this.deepSelfTest = deepSelfTest;
    }

    @Override
    public Integer call() {
        @Nullable DeepSelfTest found = selfTest ? deepSelfTest.get() : null;
        Info info = Info.read(found == null ? "not asked for" : found.text());
        if (json) {
            console.out().println(Json.write(info));
        } else {
            print(info, console.out());
        }
        if (found != null && (found.outcome() == Outcome.FAILED || found.outcome() == Outcome.NOT_RUN)) {
            throw new CliException("the deep self-test did not pass; " + found.text());
        }
        return 0;
    }

    private static void print(Info info, PrintWriter out) {
        line(out, "Percpu", info.version());
        line(out, "back end", info.backend() + ": " + info.reason());
        line(out, "self-test", info.selfTest());
        line(out, "deep self-test", info.deepSelfTest());
        line(out, "machine", info.kernel() + ", " + info.arch());
        line(out, "C library", info.libc());
        line(out, "Java", info.java());
        line(out, "rseq", rseq(info.rseq()));
        line(out, "CPUs possible", list(CpuMask.possible()));
        line(out, "CPUs present", list(CpuMask.present()));
        line(out, "CPUs online", list(CpuMask.online()));
        line(out, "CPUs allowed", list(CpuMask.allowed()));
        line(out, "per-CPU area", area(info.area()));
        line(out, "own places", "for " + info.ownPlaces() + " threads");
        line(out, "variables", Integer.toString(info.variables()));
    }

    private static void line(PrintWriter out, String what, String value) {
        out.printf(Locale.ROOT, "%-17s %s%n", what, value);
    }

    private static String rseq(PerCpuRuntime.Rseq rseq) {
        return rseq.size() == 0
                ? "no thread is registered"
                : String.format(
                        Locale.ROOT,
                        "%d bytes at thread pointer %+d: %s",
                        rseq.size(),
                        rseq.offset(),
                        String.join(", ", rseq.features()));
    }

    private static String list(CpuMask cpus) {
        return cpus + " (" + cpus.weight() + ")";
    }

    private static String area(PerCpuRuntime.Area area) {
        return String.format(
                Locale.ROOT,
                "%,d bytes used of %,d for each CPU; %,d bytes of address space",
                area.usedBytesPerCpu(),
                area.stride(),
                area.reservedBytes());
    }
}
