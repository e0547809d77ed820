package dev.percpu.stress.fault;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Puts faults into the library, one at a time, and runs what should find them. */
public final class FaultRun {
    /** For how long the stress program runs without a fault, to see that it works at all. */
    private static final int SECONDS_WITHOUT_FAULT = 3;

    /** Any finder but a test may run this much longer than it was told to. After that it counts as hung. */
    private static final Duration GRACE = Duration.ofMinutes(2);

    /** A test takes seconds. JUnit ends one that hangs before that, if it hears the interrupt. */
    private static final Duration LONGEST_TEST = Duration.ofMinutes(2);

    /** How long a signal waits at most until what runs is cleared away. Javac hears no interrupt, and takes seconds. */
    private static final long LONGEST_END_SECONDS = 30;

    private static final int MOST_CHARACTERS = 110;

    private final Checkout checkout = Checkout.here();
    private final Programs programs;
    private final List<Fault> faults;
    private final int seconds;
    private final PrintStream out;

    /** Whether each finder that was needed finds nothing where nothing is. */
    private final Map<Finder, Boolean> proven = new HashMap<>();

    /** Rows of the table. */
    private final List<String> rows = new ArrayList<>();

    private int missed;

    /** Finders that fail without a fault. */
    private int failing;

    /**
     * @param programs what to run beside tests
     * @param chosen the names of the faults to try
     * @param seconds how long the stress program runs for each
     */
    public FaultRun(Programs programs, List<String> chosen, int seconds, PrintStream out) {
        this.programs = programs;
        this.faults = Faults.all().stream()
                .filter(fault -> chosen.contains(fault.name()))
                .toList();
        this.seconds = seconds;
        this.out = out;
    }

    /** The names of all faults. */
    public static List<String> names() {
        return Faults.all().stream().map(Fault::name).toList();
    }

    /**
     * Tries them all, prints what found them, and returns whether all were found that can be.
     *
     * @throws InterruptedException also if a signal ends the process, which waits until the finder that runs is killed
     *     and the files are deleted
     */
    public boolean run() throws IOException, InterruptedException {
        CountDownLatch done = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(interruptionOf(Thread.currentThread(), done));
        try {
            tryOutAll();
        } finally {
            done.countDown();
        }
        out.println();
        out.println("| fault | found by | after | as |");
        out.println("|---|---|---|---|");
        rows.forEach(out::println);
        out.println();
        out.println(faults.size() + " faults, " + missed + " of them not found by what should find them");
        return missed == 0 && failing == 0;
    }

    /** Interrupts a thread that is not done, and waits until it is. */
    private static Thread interruptionOf(Thread runner, CountDownLatch done) {
        return new Thread(() -> {
            if (done.getCount() > 0) {
                runner.interrupt();
            }
            try {
                boolean _ = done.await(LONGEST_END_SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    private void tryOutAll() throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("percpu-faults");
        try {
            for (Fault fault : faults) {
                tryOut(fault, Files.createTempDirectory(directory, "fault"));
            }
        } finally {
            delete(directory);
        }
    }

    private void tryOut(Fault fault, Path directory) throws IOException, InterruptedException {
        Path classes = checkout.compileWith(fault, directory);
        if (!fault.reason().isEmpty()) {
            row(fault, "nothing", "", fault.reason());
            return;
        }
        for (Finder finder : fault.finders()) {
            FinderCall call = run(finder, List.of(classes), seconds, directory);
            // Only now, since most of the time goes into calls that find nothing.
            if (call.found() && isProven(finder, directory)) {
                row(
                        fault,
                        finder.toString(),
                        String.format(Locale.ROOT, "%.0f s", call.took().toMillis() / 1e3),
                        clue(finder, call));
                return;
            }
        }
        missed++;
        row(fault, "NOT FOUND", "", "");
    }

    /** Whether it passes without a fault; if not, it cannot show any. */
    private boolean isProven(Finder finder, Path directory) throws IOException, InterruptedException {
        Boolean before = proven.get(finder);
        if (before != null) {
            return before;
        }
        FinderCall call = run(finder, List.of(), SECONDS_WITHOUT_FAULT, directory);
        if (call.found()) {
            failing++;
            out.println("Without a fault " + finder + " fails, so it is of no use: " + clue(finder, call));
        }
        proven.put(finder, !call.found());
        return !call.found();
    }

    private FinderCall run(Finder finder, List<Path> first, int limit, Path directory)
            throws IOException, InterruptedException {
        return FinderCall.run(
                finder.command(checkout, programs, first, limit),
                // Tests look for files of their module.
                switch (finder.kind()) {
                    case TEST -> checkout.core();
                    case C -> checkout.header();
                    case STRESS, JCSTRESS, FAILURES -> directory;
                },
                directory.resolve("log"),
                switch (finder.kind()) {
                    case TEST, C -> LONGEST_TEST;
                    case STRESS, JCSTRESS, FAILURES -> Duration.ofSeconds(limit).plus(GRACE);
                });
    }

    private static String clue(Finder finder, FinderCall call) {
        String clue = call.hangs() ? "it hangs" : finder.clue(call.output());
        return clue.length() <= MOST_CHARACTERS ? clue : clue.substring(0, MOST_CHARACTERS) + " ...";
    }

    private void row(Fault fault, String finder, String after, String as) {
        String row = "| " + String.join(" | ", fault.name(), finder, after, as.replace("|", "\\|")) + " |";
        rows.add(row);
        out.println(row);
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            files.sorted(Comparator.reverseOrder()).forEach(file -> {
                try {
                    Files.delete(file);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
