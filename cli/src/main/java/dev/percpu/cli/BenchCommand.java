package dev.percpu.cli;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import dev.percpu.PerCpuRuntime;
import dev.percpu.cli.bench.Jmh;
import dev.percpu.cli.bench.Report;
import dev.percpu.cli.bench.Roles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Runs the benchmarks, and compares per-CPU variables with what there is without them. */
@Command(
        name = "bench",
        description = "Measures per-CPU variables beside their peers with JMH, whose output goes to standard error, and"
                + " prints a table of the results. All of it takes long; see --only and --quick.",
        sortOptions = false)
final class BenchCommand implements Callable<Integer> {
    private static final String HOME = "percpu.home";

    private final Console console;

    @Option(
            names = "--only",
            paramLabel = "REGEX",
            description = "Only the benchmarks with this in their name, such as AddBenchmark.",
            converter = RegexConverter.class)
    private @Nullable Pattern only;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "With so many threads. Default: first with 1, then with 2.",
            converter = PositiveConverter.class)
    private @Nullable Integer threads;

    @Option(names = "--quick", description = "Measure for a short time only: rough numbers.")
    private boolean quick;

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description = "Write the results to a file too, in the format of JMH.")
    private @Nullable Path json;

    BenchCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        if (json != null) {
            checkWritable(json);
        }
        // The JVMs that measure shall not choose a back end on their own: what was forced here, or is denied here, is
        // so there too.
        String backend = PerCpuRuntime.backend();
        Jmh jmh = new Jmh(jar(), List.of("-Dpercpu.backend=" + backend));
        String regex = only == null ? ".*" : only.pattern();
        if (jmh.list(regex).isEmpty()) {
            throw new CliException("no benchmark has \"" + regex + "\" in its name");
        }
        Roles roles = jmh.roles();
        JsonArray results = new JsonArray();
        for (int count : threads == null ? List.of(1, 2) : List.of(threads)) {
            results.addAll(jmh.measure(regex, count, quick, console.err()));
        }
        if (json != null) {
            write(results, json);
        }
        console.out().println("Back end " + backend);
        console.out().println();
        Report.of(results, roles).print(console.out());
        return 0;
    }

    private static Path jar() {
        String home = System.getProperty(HOME);
        if (home == null) {
            throw new CliException("where the benchmarks are is not known: run ./percpu, which sets " + HOME);
        }
        return Path.of(home, "benchmarks", "target", "benchmarks.jar");
    }

    /** Better now than when all has been measured. */
    private static void checkWritable(Path file) {
        Path directory = file.toAbsolutePath().getParent();
        if (Files.isDirectory(file)
                || directory == null
                || !(Files.exists(file) ? Files.isWritable(file) : Files.isWritable(directory))) {
            throw new CliException(Messages.printable(file) + " cannot be written");
        }
    }

    private static void write(JsonArray results, Path file) {
        try {
            Files.writeString(
                    file, new GsonBuilder().setPrettyPrinting().create().toJson(results) + "\n");
        } catch (IOException e) {
            throw new CliException(Messages.printable(file) + " cannot be written: " + Messages.reason(e), e);
        }
    }

    private static final class PositiveConverter implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String value) {
            try {
                int number = Integer.parseInt(value);
                if (number > 0) {
                    return number;
                }
            } catch (NumberFormatException e) {
                throw new TypeConversionException("'" + value + "' is not a number");
            }
            throw new TypeConversionException("'" + value + "' is not positive");
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
