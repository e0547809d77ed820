package dev.percpu.cli;

import dev.percpu.cli.output.Console;
import dev.percpu.cli.top.Rates;
import dev.percpu.cli.top.Reading;
import dev.percpu.cli.top.Target;
import dev.percpu.cli.top.TopJson;
import dev.percpu.cli.top.TopText;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
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

    TopCommand(Console console) {
        this.console = console;
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
            console.out().println(Json.write(TopJson.of(pid, rates)));
        } else {
            if (!once) {
                console.out().print(console.outIsTerminal() ? CLEAR : "\n");
            }
            TopText.print(pid, rates, console.out());
        }
        console.out().flush();
    }
}
