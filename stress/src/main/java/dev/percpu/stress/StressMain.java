package dev.percpu.stress;

import dev.percpu.PerCpuRuntime;
import dev.percpu.internal.backend.Backends;
import dev.percpu.stress.failure.FailureRun;
import dev.percpu.stress.fault.FaultRun;
import dev.percpu.stress.fault.Programs;
import dev.percpu.stress.subject.Subject;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The command {@code percpu stress}. Exit status: 0 if all went well, 1 if something did not, 2 for a wrong
 * command line.
 */
@Command(
        name = "percpu stress",
        description =
                "Uses every structure at random while threads are moved between CPUs, signalled, held up inside their"
                        + " sequences, started and ended, and checks that nothing is lost.",
        sortOptions = false)
public final class StressMain implements Callable<Integer> {
    private static final List<String> BACKENDS = List.of("rseq", "atomic");
    private static final int LEAST_CARRIERS = 8;

    /** The options that choose what is done instead of the usual, and the others that each of them takes. */
    private static final Map<String, Set<String>> OPTIONS_OF_MODES = Map.of(
            "--failures", Set.of("--ways", "--only", "--backend", "--list"),
            "--faults", Set.of("--only", "--seconds", "--list"),
            "--jcstress", Set.of("--backend"));

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "60",
            description = "How long. Default: ${DEFAULT-VALUE}.")
    private int seconds;

    @Option(
            names = "--threads",
            paramLabel = "T",
            defaultValue = "8",
            description = "How many platform threads; virtual ones come on top. Default: ${DEFAULT-VALUE}.")
    private int threads;

    @Option(names = "--seed", paramLabel = "S", description = "Where the random choices begin. Default: a random one.")
    private @Nullable Long seed;

    @Option(names = "--backend", paramLabel = "NAME", description = "rseq or atomic. Default: the fastest that works.")
    private @Nullable String backend;

    @Option(
            names = "--only",
            paramLabel = "NAME",
            split = ",",
            description = "Only these structures, such as pool,ref.")
    private List<String> only = List.of();

    @Option(names = "--list", description = "Only print the names that --only takes, also with --faults or --failures.")
    private boolean list;

    @Option(
            names = "--delay",
            paramLabel = "ROUNDS",
            defaultValue = "300",
            description =
                    "How long the delays inside sequences are, in rounds of an empty loop. Default: ${DEFAULT-VALUE}.")
    private int delay;

    @Option(names = "--soak", description = "Also print, each minute, how much memory and what else the process uses.")
    private boolean soak;

    @Option(
            names = "--jcstress",
            description = "Instead run the long set of jcstress tests on each back end, for many minutes.")
    private boolean jcstress;

    @Option(
            names = "--faults",
            description =
                    "Instead put faults into the library, one at a time, and run what should find each; --only names"
                            + " parts of the faults' names then, and --seconds is for each.")
    private boolean faults;

    @Option(
            names = "--failures",
            description =
                    "Instead make each step of each operation fail in turn, on each back end, for many minutes; --only"
                            + " names operations then.")
    private boolean failures;

    @Option(
            names = "--ways",
            paramLabel = "NAME",
            split = ",",
            description = "With --failures: only these ways to fail, such as stack,heap,membarrier.")
    private List<String> ways = List.of();

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this help and exit.")
    @SuppressWarnings("UnusedVariable") // the command line asks for it by the annotation
    private boolean help;

    @Spec
    private CommandSpec spec;

    private final PrintStream out;

    @SuppressWarnings("NullAway.Init") // the command line sets spec
    private StressMain(PrintStream out) {
        this.out = out;
    }

    public static void main(String[] args) {
        System.exit(run(System.out, System.err, args));
    }

    /** Runs the command and returns its exit status. */
    static int run(PrintStream out, PrintStream err, String... args) {
        CommandLine commandLine = new CommandLine(new StressMain(out));
        commandLine.setOut(new PrintWriter(out, true, StandardCharsets.UTF_8));
        commandLine.setErr(new PrintWriter(err, true, StandardCharsets.UTF_8));
        commandLine.setParameterExceptionHandler((e, _) -> {
            err.println("percpu: " + e.getMessage() + " (see ./percpu stress --help)");
            return CommandLine.ExitCode.USAGE;
        });
        int status = commandLine.execute(args);
        if (out.checkError()) {
            err.println("percpu: the output could not be written");
            return CommandLine.ExitCode.SOFTWARE;
        }
        return status;
    }

    @Override
    public Integer call() throws Exception {
        checkMode();
        check(seconds > 0, "--seconds must be positive, not " + seconds);
        check(backend == null || BACKENDS.contains(backend), "--backend is rseq or atomic, not '" + backend + "'");
        if (list) {
            chosen().forEach(out::println);
            return CommandLine.ExitCode.OK;
        }
        if (jcstress) {
            for (String each : backends()) {
                JcstressMain.runLong(each);
            }
            return CommandLine.ExitCode.OK;
        }
        if (faults) {
            return findFaults();
        }
        return failures ? runFailures() : stress();
    }

    /** An option that the mode would ignore is refused: who gives it expects something else. */
    private void checkMode() {
        List<String> given = spec.commandLine().getParseResult().matchedOptions().stream()
                .map(OptionSpec::longestName)
                .toList();
        for (String mode : given) {
            Set<String> taken = OPTIONS_OF_MODES.getOrDefault(mode, Set.copyOf(given));
            for (String option : given) {
                check(option.equals(mode) || taken.contains(option), option + " has no meaning with " + mode);
            }
        }
        check(failures || ways.isEmpty(), "--ways has no meaning without --failures");
    }

    private int findFaults() throws IOException {
        Programs programs = new Programs(StressMain.class, JcstressMain.class);
        try {
            return new FaultRun(programs, chosen(), seconds, out).run()
                    ? CommandLine.ExitCode.OK
                    : CommandLine.ExitCode.SOFTWARE;
        } catch (InterruptedException e) {
            // A signal ends the process, and the exit status is the signal's.
            return CommandLine.ExitCode.SOFTWARE;
        }
    }

    private int runFailures() throws IOException, InterruptedException {
        checkWays();
        List<String> operations = chosen();
        boolean passed = true;
        for (String each : backends()) {
            FailureRun run = new FailureRun(each, ways, operations::contains, FailureRun.Extent.ALL_STEPS, out);
            passed &= run.run();
            run.report();
        }
        return passed ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
    }

    /** Those that JVMs are started with. One that is impossible is found here, as each of these JVMs would complain. */
    private List<String> backends() {
        List<String> all = backend == null ? BACKENDS : List.of(backend);
        System.setProperty(Backends.PROPERTY, all.getFirst());
        choose();
        return all;
    }

    /** Each must be how one of the names begins. */
    private void checkWays() {
        List<String> names = FailureRun.wayNames();
        for (String beginning : ways) {
            check(
                    names.stream().anyMatch(name -> name.startsWith(beginning)),
                    "--ways knows " + String.join(", ", names) + ", not '" + beginning + "'");
        }
    }

    /** Each must mean one of the names at least. There can be hundreds, so the message names none. */
    private void checkOnly() {
        String mode = faults ? " --faults" : failures ? " --failures" : "";
        for (String part : only) {
            check(
                    names().stream().anyMatch(name -> means(part, name)),
                    "--only knows no '" + part + "'; ./percpu stress" + mode + " --list prints what it knows");
        }
    }

    /** What {@code --only} chooses from. */
    private List<String> names() {
        if (faults) {
            return FaultRun.names();
        }
        return failures
                ? FailureRun.operationNames()
                : Subject.kinds().stream().map(Subject.Kind::name).toList();
    }

    /** What {@code --only} chooses. */
    private List<String> chosen() {
        checkOnly();
        return names().stream()
                .filter(name -> only.isEmpty() || only.stream().anyMatch(part -> means(part, name)))
                .toList();
    }

    private boolean means(String part, String name) {
        if (faults) {
            return name.contains(part);
        }
        return failures ? name.startsWith(part) : name.equals(part);
    }

    private int stress() throws InterruptedException {
        check(threads > 0, "--threads must be positive, not " + threads);
        check(delay > 0, "--delay must be positive, not " + delay);
        List<Subject.Kind> kinds = kinds();
        if (backend != null) {
            System.setProperty(Backends.PROPERTY, backend);
        }
        // Before the first virtual thread. More than CPUs, so that carriers are preempted too.
        int carriers = Math.max(LEAST_CARRIERS, 2 * Runtime.getRuntime().availableProcessors());
        System.setProperty("jdk.virtualThreadScheduler.parallelism", String.valueOf(carriers));
        Delays delays = Delays.install(delay);
        choose();
        long start = seed == null ? new Random().nextInt(1_000_000) : seed;
        StressRun run = new StressRun(new StressOptions(seconds, threads, start, kinds, soak), delays, out);
        try {
            run.run();
        } catch (AssertionError e) {
            run.report();
            out.println();
            out.println("FAILED: " + e.getMessage());
            out.println("Again: " + command(start));
            out.println();
            e.printStackTrace(out);
            return CommandLine.ExitCode.SOFTWARE;
        }
        run.report();
        out.printf(Locale.ROOT, "%-28s %,16d%n", "lost or doubled", 0);
        return CommandLine.ExitCode.OK;
    }

    /** Chooses the back end. A forced one may be impossible. */
    private void choose() {
        try {
            String _ = PerCpuRuntime.backend();
        } catch (ExceptionInInitializerError e) {
            Throwable cause = Objects.requireNonNullElse(e.getCause(), e);
            throw new ParameterException(spec.commandLine(), String.valueOf(cause.getMessage()), cause);
        }
    }

    /** The command that does the same again, as far as it depends on the seed. */
    private String command(long start) {
        return "./percpu stress --seconds " + seconds + " --threads " + threads + " --seed " + start + " --delay "
                + delay
                + (backend == null ? "" : " --backend " + backend)
                + (only.isEmpty() ? "" : " --only '" + String.join(",", only) + "'");
    }

    private List<Subject.Kind> kinds() {
        List<String> names = chosen();
        return Subject.kinds().stream()
                .filter(kind -> names.contains(kind.name()))
                .toList();
    }

    private void check(boolean right, String otherwise) {
        if (!right) {
            throw new ParameterException(spec.commandLine(), otherwise);
        }
    }
}
