package dev.percpu.cli;

import dev.percpu.cli.bench.Arrangement;
import dev.percpu.cli.bench.BackEnd;
import dev.percpu.cli.bench.Curves;
import dev.percpu.cli.bench.Jmh;
import dev.percpu.cli.bench.Page;
import dev.percpu.cli.bench.Progress;
import dev.percpu.cli.bench.Regressions;
import dev.percpu.cli.bench.Report;
import dev.percpu.cli.bench.Results;
import dev.percpu.cli.bench.Roles;
import dev.percpu.cli.bench.Run;
import dev.percpu.cli.bench.Tables;
import dev.percpu.cli.output.CliException;
import dev.percpu.cli.output.Console;
import dev.percpu.cli.output.Messages;
import dev.percpu.cli.output.TextFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Runs the benchmarks, and sets per-CPU variables beside what there is without them. */
@Command(
        name = "bench",
        description =
                "Measures per-CPU variables beside their peers with JMH, and prints a table of the results. All of"
                        + " it takes hours; see --only and --quick.",
        sortOptions = false)
final class BenchCommand implements Callable<Integer> {
    private static final String HOME = "percpu.home";
    private static final String COMMIT = "percpu.commit";

    private final Console console;

    @ArgGroup
    private Source source = new Source();

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description = "Write the results to a file too, in the format of JMH, with the machine added to each.")
    private @Nullable Path json;

    @Option(names = "--html", paramLabel = "FILE", description = "Write a page with a chart for each comparison.")
    private @Nullable Path html;

    @Spec
    private @Nullable CommandSpec spec;

    /** Where the results come from: from a measurement, or from files if one of {@link Kept}'s options is given. */
    private static final class Source {
        @ArgGroup(exclusive = false)
        private Measurement measurement = new Measurement();

        @ArgGroup(exclusive = false)
        private @Nullable Kept kept;
    }

    /** What is measured, and whether it is kept. */
    private static final class Measurement {
        @ArgGroup
        private What what = new What();

        @Option(
                names = "--save",
                description = "Keep the results in benchmarks/results, in the file of this processor.")
        private boolean save;
    }

    /** The time of operations, or all else. */
    private static final class What {
        @ArgGroup(exclusive = false)
        private Times times = new Times();

        @Option(
                names = "--curves",
                arity = "0..1",
                paramLabel = "REGEX",
                fallbackValue = "Memory|Many threads|Cache line|Start-up",
                description = "Instead of the benchmarks, measure memory, the CPU time with many threads, a cache"
                        + " line's way to another CPU, and the start-up; or only the charts with this in their"
                        + " title. Those can also be whole programs, each of which takes some ten minutes: cache,"
                        + " JSON, HTTP server.",
                converter = RegexConverter.class)
        private @Nullable Pattern curves;
    }

    /** Which times are measured, and how. */
    private static final class Times {
        @ArgGroup
        private Which which = new Which();

        @ArgGroup(exclusive = false)
        private @Nullable Threads threads;

        @Option(
                names = "--quick",
                description = "Measure for a short time only, in one JVM, with 1 thread and with one for each CPU:"
                        + " rough numbers. Without --only, benchmarks that need a longer warm-up are left out, and"
                        + " ReadWriteMixBenchmark with its many trials.")
        private boolean quick;

        @Option(
                names = "--forks",
                paramLabel = "N",
                description = "Measure each benchmark in so many JVMs, one after the other. Default: 3, and 1 with"
                        + " --quick.",
                converter = PositiveConverter.class)
        private int forks;

        @Option(
                names = "--check",
                description = "Compare the ratios to the best peers with those that are kept for this processor, and"
                        + " mark those that differ by more than 15%%. The status is 1 if one is worse, and by more"
                        + " than the measurements' spread.")
        private boolean check;
    }

    /** Which benchmarks. */
    private static final class Which {
        @Option(
                names = "--only",
                paramLabel = "REGEX",
                description = "Only the benchmarks with this in their name, such as AddBenchmark.",
                converter = RegexConverter.class)
        private @Nullable Pattern only;

        @Option(
                names = "--main",
                description = "Only those of the counter, the event, the guarded update, the histogram, the pool, the"
                        + " read-write lock and the reference count, with their peers.")
        private boolean main;

        private String regex(boolean quick) {
            return only != null ? only.pattern() : Jmh.selection(quick, main);
        }
    }

    /** By which threads. */
    private static final class Threads {
        /** Stands for {@code all}. */
        private static final int ALL = 0;

        @Option(
                names = "--threads",
                paramLabel = "N|all",
                required = true,
                description = "With so many threads. all, which is the default without --quick: with 1, one for each"
                        + " CPU and four for each CPU, platform threads and then virtual ones.",
                converter = ThreadsConverter.class)
        private int number;

        @Option(names = "--virtual", description = "With --threads: virtual threads.")
        private boolean virtual;

        private List<Arrangement> arrangements(int cpus) {
            return number == ALL
                    ? Arrangement.all(cpus).stream()
                            .filter(arrangement -> !virtual || arrangement.virtual())
                            .toList()
                    : List.of(new Arrangement(number, virtual));
        }
    }

    /** What is done with results that were kept, and without measuring. */
    private static final class Kept {
        @Option(names = "--saved", description = "Measure nothing: take the results that are kept, of all processors.")
        private boolean saved;

        @Option(
                names = "--tables",
                description = "Measure nothing: make the tables in README and docs anew, from the results that are"
                        + " kept.")
        private boolean tables;
    }

    BenchCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        for (Path file : Stream.of(json, html).filter(Objects::nonNull).toList()) {
            checkWritable(file);
        }
        if (source.kept != null) {
            return present(source.kept);
        }
        Measurement measurement = source.measurement;
        Pattern charts = measurement.what.curves;
        return charts == null
                ? measureTimes(measurement.what.times, measurement.save)
                : measureCurves(charts, measurement.save);
    }

    private int present(Kept kept) {
        if (kept.saved && !kept.tables && json == null && html == null) {
            throw new ParameterException(
                    Objects.requireNonNull(spec).commandLine(),
                    "--saved needs --html, --json or --tables, which say what to do with the results");
        }
        Results results = Results.readAll(directory());
        Curves curves = Curves.read(directory());
        if (results.isEmpty() && curves.isEmpty()) {
            throw new CliException("no results are kept in " + Messages.printable(directory()));
        }
        if (kept.tables) {
            renewTables(new Tables(results, curves));
        }
        writeFiles(results, curves);
        return 0;
    }

    private int measureCurves(Pattern charts, boolean save) {
        if (json != null) {
            throw new ParameterException(
                    Objects.requireNonNull(spec).commandLine(),
                    "--json cannot be given with --curves: JMH's format has no curves; --save keeps them");
        }
        Run run = run();
        console.say("measuring what is in the charts \"" + charts + "\"");
        Curves curves = new Jmh(jar(), run.backend()).curves(charts, run, console::say);
        if (curves.isEmpty()) {
            throw new CliException("no chart has \"" + charts + "\" in its title");
        }
        curves.print(console.out());
        if (save) {
            curves.keep(directory());
        }
        // Last, as that can fail: the disk may be full.
        writeFiles(new Results(), curves);
        return 0;
    }

    private int measureTimes(Times wanted, boolean save) {
        // The JVMs that measure shall not choose a back end on their own: what was forced here, or is denied here, is
        // so there too.
        Run run = run();
        Jmh jmh = new Jmh(jar(), run.backend());
        String regex = wanted.which.regex(wanted.quick);
        if (jmh.list(regex).isEmpty()) {
            throw new CliException("no benchmark has \"" + regex + "\" in its name");
        }
        Results before = wanted.check ? keptBefore() : null;
        if (save) {
            checkAsManyCpus(run);
        }
        Roles roles = jmh.roles();
        Results results = new Results();
        List<Arrangement> arrangements = arrangements(wanted);
        Jmh.Effort effort = new Jmh.Effort(wanted.quick, wanted.forks);
        Progress progress = new Progress(arrangements.size(), console::say, System::nanoTime);
        for (Arrangement arrangement : arrangements) {
            progress.next(arrangement);
            results.add(jmh.measure(regex, roles, arrangement, effort, progress::line), run, arrangement, roles);
        }
        console.out().println("Back end " + run.backend());
        console.out().println();
        new Report(results).print(console.out());
        int worse = before == null ? 0 : check(before, results);
        if (save) {
            keep(results, roles);
        }
        // Last, as that can fail: the disk may be full.
        writeFiles(results, Curves.none());
        return worse == 0 ? 0 : 1;
    }

    private Run run() {
        return Run.now(System.getProperty(COMMIT, "unknown"), commandLine());
    }

    private static List<Arrangement> arrangements(Times wanted) {
        int cpus = Runtime.getRuntime().availableProcessors();
        if (wanted.threads != null) {
            return wanted.threads.arrangements(cpus);
        }
        return wanted.quick ? Arrangement.fewest(cpus) : Arrangement.all(cpus);
    }

    /** What to check against. Better read now than when all has been measured. */
    private static Results keptBefore() {
        Path file = keptHere();
        if (!Files.exists(file)) {
            throw new CliException("there is nothing to check against: no results of this processor are kept in "
                    + Messages.printable(file) + "; --save keeps some");
        }
        return Results.read(file);
    }

    /**
     * Refuses to save beside results of another number of CPUs. A table's column has two times: with one thread, and
     * with one for each CPU. With two numbers of CPUs it would have three.
     */
    private static void checkAsManyCpus(Run run) {
        Path file = keptHere();
        if (Files.exists(file) && !Results.read(file).areOf(run.cpus())) {
            throw new CliException(Messages.printable(file) + " has results of another number of CPUs than "
                    + run.cpus() + ": move it away, or measure without --save");
        }
    }

    private int check(Results before, Results results) {
        console.out().println();
        int worse = new Regressions(before.of(BackEnd.current()), results).print(console.out());
        if (worse > 0) {
            console.say(worse + (worse == 1 ? " ratio is" : " ratios are") + " worse than what is kept");
        }
        return worse;
    }

    private void keep(Results results, Roles roles) {
        Path file = keptHere();
        (Files.exists(file) ? results.over(Results.read(file), roles) : results).write(file);
        console.say("kept in " + Messages.printable(file));
    }

    private void writeFiles(Results results, Curves curves) {
        if (json != null) {
            results.write(json);
        }
        if (html != null) {
            TextFiles.write(html, new Page(results, curves, commandLine()).html());
        }
    }

    private void renewTables(Tables renewed) {
        for (Path page : Tables.pages(home())) {
            String before = TextFiles.read(page);
            String after = renewed.renew(before);
            if (!after.equals(before)) {
                TextFiles.write(page, after);
                console.say("renewed the tables of " + Messages.printable(page));
            }
        }
    }

    private String commandLine() {
        return "./percpu "
                + String.join(
                        " ",
                        Objects.requireNonNull(spec)
                                .commandLine()
                                .getParseResult()
                                .originalArgs());
    }

    private static Path home() {
        String home = System.getProperty(HOME);
        if (home == null) {
            throw new CliException("cannot find the benchmarks: run ./percpu, which sets the property " + HOME);
        }
        return Path.of(home);
    }

    private static Path jar() {
        return home().resolve("benchmarks").resolve("target").resolve("benchmarks.jar");
    }

    private static Path directory() {
        return home().resolve("benchmarks").resolve("results");
    }

    /** The file of this processor's results. */
    private static Path keptHere() {
        return Results.file(directory(), Run.now("", "").processor());
    }

    /** Better now than when all has been measured. */
    private static void checkWritable(Path file) {
        Path directory = file.toAbsolutePath().getParent();
        String reason;
        if (directory == null || Files.isDirectory(file)) {
            reason = "it is a directory";
        } else if (!Files.isDirectory(directory)) {
            reason = "there is no directory " + Messages.printable(directory);
        } else if (!Files.isWritable(Files.exists(file) ? file : directory)) {
            reason = "that is not permitted";
        } else {
            return;
        }
        throw new CliException(Messages.printable(file) + " cannot be written: " + reason);
    }

    private static final class PositiveConverter implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String value) {
            try {
                int number = Integer.parseInt(value);
                if (number > 0) {
                    return number;
                }
            } catch (NumberFormatException tooLargeOrNone) {
                // As if it were not positive.
            }
            throw new TypeConversionException("'" + value + "' is not a whole number from 1 to " + Integer.MAX_VALUE);
        }
    }

    private static final class ThreadsConverter implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String value) {
            return value.equals("all") ? Threads.ALL : new PositiveConverter().convert(value);
        }
    }

    private static final class RegexConverter implements ITypeConverter<Pattern> {
        @Override
        public Pattern convert(String value) {
            try {
                return Pattern.compile(value);
            } catch (PatternSyntaxException e) {
                throw new TypeConversionException("'" + value + "' is not a regular expression: " + e.getDescription());
            }
        }
    }
}
