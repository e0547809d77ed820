package dev.percpu.cli.bench;

import java.time.Duration;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Says what is being measured, how much is done and how long the rest will take, from what JMH prints. Each arrangement
 * is a run of JMH of its own, in which JMH counts from 0 to 100%.
 */
public final class Progress {
    private static final Pattern BENCHMARK = Pattern.compile("# Benchmark: (?:\\w+\\.)*(\\w+\\.\\w+)");
    /** JMH writes numbers as it is done in the user's country, some with a comma. */
    private static final Pattern DONE = Pattern.compile("# Run progress: ([0-9]+)[.,]([0-9]+)% complete.*");

    /** How a line of the benchmarks' own begins that says what cannot be measured here. */
    private static final String LEFT_OUT = "Left out: ";

    private static final double PERCENT = 100;

    private final int runs;
    private final Consumer<String> say;
    private final LongSupplier nanoTime;
    private final long start;

    private int run = -1;
    private String arrangement = "";
    private @Nullable String benchmark;

    /**
     * Begins.
     *
     * @param runs how often JMH is going to be run
     * @param say takes each line for people
     * @param nanoTime the clock
     */
    public Progress(int runs, Consumer<String> say, LongSupplier nanoTime) {
        this.runs = runs;
        this.say = say;
        this.nanoTime = nanoTime;
        start = nanoTime.getAsLong();
    }

    /** JMH is about to be run with the next arrangement. */
    public void next(Arrangement next) {
        run++;
        arrangement = next.description();
    }

    /** Takes a line that JMH prints. */
    public void line(String line) {
        // Each run says so; once is enough.
        if (line.startsWith(LEFT_OUT) && run == 0) {
            say.accept(line);
            return;
        }
        Matcher named = BENCHMARK.matcher(line);
        if (named.matches()) {
            benchmark = named.group(1);
            return;
        }
        Matcher done = DONE.matcher(line);
        if (done.matches() && benchmark != null) {
            double share = (run + Double.parseDouble(done.group(1) + "." + done.group(2)) / PERCENT) / runs;
            say.accept(String.format(
                    Locale.ROOT, "%3d%%%s  %s, %s", Math.round(share * PERCENT), left(share), benchmark, arrangement));
        }
    }

    /** How long the rest will take, if it goes on as before; too little is known in the first few percent. */
    private String left(double share) {
        double enough = 0.02;
        if (share < enough) {
            return "";
        }
        long passed = nanoTime.getAsLong() - start;
        Duration left = Duration.ofNanos(Math.round(passed / share * (1 - share)));
        return left.toMinutes() > 0 ? ", " + left.toMinutes() + " min left" : ", " + left.toSeconds() + " s left";
    }
}
