package dev.percpu.cli;

import dev.percpu.cli.output.Console;
import dev.percpu.cli.output.Terminal;
import dev.percpu.cli.top.Rates;
import dev.percpu.cli.top.Reading;
import dev.percpu.cli.top.Target;
import dev.percpu.cli.top.TopJson;
import dev.percpu.cli.top.TopText;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows the named variables of another process, again and again. */
@Command(
        name = "top",
        description = "Shows the named per-CPU variables of a process: in total and by CPU, and how fast they grow.",
        sortOptions = false)
final class TopCommand implements Callable<Integer> {
    private static final int NANOS_PER_SECOND = 1_000_000_000;

    /** Moves a terminal's cursor to the top left, and erases what is below. */
    private static final String CLEAR = "\u001b[H\u001b[J";

    private final Console console;
    private final Supplier<Terminal> terminal;

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "PID", description = "The process, which has to be yours: see jcmd -l.")
    private long pid;

    @Option(names = "--once", description = "Read twice, an interval apart, print once and exit.")
    private boolean once;

    @Option(names = "--interval", paramLabel = "SECONDS", description = "The time between two readings: 1 by default.")
    private double interval = 1;

    @Option(names = "--json", description = "Print one JSON object for each reading, on a line of its own.")
    private boolean json;

    /**
     * Makes the command.
     *
     * @param terminal finds out how large the terminal is
     */
    TopCommand(Console console, Supplier<Terminal> terminal) {
        this.console = console;
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws InterruptedException {
        // Also refuses NaN.
        if (!(interval >= 0.01 && interval <= 86_400) && spec != null) {
            throw new ParameterException(
                    spec.commandLine(), "the interval must be from 0.01 to 86400 seconds, not " + interval);
        }
        try (Target target = Target.of(pid)) {
            // Once more for the first one: the process loads classes for it, long after it has read the values. So the
            // time that is noted is too late, and the rates since then would be too high.
            Reading _ = target.read();
            Reading before = target.read();
            do {
                TimeUnit.NANOSECONDS.sleep((long) (interval * NANOS_PER_SECOND));
                Reading now = target.read();
                print(new Rates(before, now));
                before = now;
            } while (!once && !console.out().checkError());
        }
        return 0;
    }

    private void print(Rates rates) {
        if (json) {
            console.out().println(Json.write(TopJson.of(pid, Instant.now(), rates)));
        } else if (once) {
            TopText.print(pid, rates, Terminal.UNLIMITED, console.out());
        } else if (console.outIsTerminal()) {
            console.out().print(CLEAR + frame(rates, terminal.get()));
        } else {
            console.out().println();
            TopText.print(pid, rates, Terminal.UNLIMITED, console.out());
        }
        console.out().flush();
    }

    /** What fits on a terminal, so that the next frame replaces all of it. */
    private String frame(Rates rates, Terminal size) {
        StringWriter text = new StringWriter();
        TopText.print(pid, rates, size.lines() - 1, new PrintWriter(text));
        return size.shown(text.toString());
    }
}
