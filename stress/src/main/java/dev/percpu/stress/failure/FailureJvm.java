package dev.percpu.stress.failure;

import dev.percpu.PerCpuRuntime;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * A JVM of its own for ways to fail that need the same options, as a defect may leave one unusable. It tells on its
 * standard output what it found, in lines for {@link FailureRun}.
 */
final class FailureJvm {
    static final String BEGIN = "begin";
    static final String RESULT = "result";
    static final String VIOLATION = "violation";
    static final String END = "end";

    /** Said in between, so that an operation of very many rounds is not taken for one that hangs. */
    static final String GOING_ON = "going on";

    /** Made in advance, as the heap may be full when it is said. */
    private static final byte[] GOING_ON_LINE = (GOING_ON + "\n").getBytes(StandardCharsets.UTF_8);

    /** Between the fields of a line. */
    static final String SEPARATOR = "\t";

    private static final int HUNG = 3;
    static final int ORPHANED = 4;
    private static final int MOST_FRAMES = 30;
    private static final int LOOKS_PER_SECOND = 10;
    private static final int LOOKS_PER_WORD = 100;

    /** Longer than the library waits for anything, and than the other thread is waited for. */
    private static final int PATIENCE_SECONDS = 60;

    /** Kept, as a logger that nobody keeps forgets its level. */
    private static final Logger LOGGER = Logger.getLogger("dev.percpu");

    private final PrintStream out;
    private final AtomicInteger progress = new AtomicInteger();
    private volatile @Nullable Throwable failure;

    private FailureJvm(PrintStream out) {
        this.out = out;
    }

    /**
     * Runs it.
     *
     * @param arguments the {@link FailureRun.Extent} and the tasks
     */
    public static void main(String[] arguments) throws InterruptedException {
        LOGGER.setLevel(Level.OFF);
        Thread.ofPlatform().daemon().name("parent").start(FailureJvm::endWithParent);
        FailureRun.Extent extent = FailureRun.Extent.valueOf(arguments[0]);
        List<Way> ways = Ways.all(extent);
        List<Task> tasks = Arrays.stream(arguments)
                .skip(1)
                .map(argument -> Task.of(argument, ways))
                .toList();
        new FailureJvm(System.out).run(tasks);
    }

    /** Once nobody has the other end of the standard input any more: a parent that is killed ends no child. */
    private static void endWithParent() {
        try {
            while (System.in.read() >= 0) {
                // There is nothing to say to this process.
            }
        } catch (IOException e) {
            // Nobody is there either.
        }
        Runtime.getRuntime().halt(ORPHANED);
    }

    private void run(List<Task> tasks) throws InterruptedException {
        String _ = PerCpuRuntime.backend();
        // Looks up the type that isAlive catches. With a full heap that could fail, and then nothing is caught.
        Class<?> _ = OutOfMemoryError.class;
        Thread worker = new Thread(() -> work(tasks), "failures");
        worker.start();
        watch(worker);
        Throwable thrown = failure;
        if (thrown != null) {
            throw new IllegalStateException("the harness failed", thrown);
        }
        say(END);
        // Threads may be left behind that wait for ever.
        Runtime.getRuntime().halt(0);
    }

    private void work(List<Task> tasks) {
        try {
            for (Task task : tasks) {
                say(BEGIN, task);
                OtherThread other = new OtherThread();
                Rounds rounds = new Rounds(task.operation(), task.way(), other, progress);
                // A thread of the task's own, as the last one's may have a place of its own by now.
                ThreadOfItsOwn.run(
                        rounds.variant(), "acting", 0, () -> task.way().run(rounds));
                other.end();
                tell(task, rounds.result());
            }
        } catch (Throwable t) {
            failure = t;
        }
    }

    private void tell(Task task, Rounds.Result result) {
        result.violations().forEach(violation -> say(VIOLATION, task, violation));
        say(RESULT, task, result.rounds(), result.failed(), result.happened(), result.recovered());
    }

    /** Waits until the worker ends, or until it gets nowhere. */
    private void watch(Thread worker) throws InterruptedException {
        int seen = -1;
        int still = 0;
        int looks = 0;
        int said = 0;
        while (isAlive(worker)) {
            int now = progress.get();
            still = now == seen ? still + 1 : 0;
            looks++;
            if (looks % LOOKS_PER_WORD == 0 && now != said) {
                said = now;
                out.write(GOING_ON_LINE, 0, GOING_ON_LINE.length);
                out.flush();
            }
            seen = now;
            if (still > PATIENCE_SECONDS * LOOKS_PER_SECOND && !CpuShortage.isHere()) {
                Thread.getAllStackTraces().forEach(this::sayWhere);
                Runtime.getRuntime().halt(HUNG);
            }
        }
    }

    /** Waits for a moment. While the heap is full for an operation, even that can fail. */
    private static boolean isAlive(Thread worker) throws InterruptedException {
        try {
            worker.join(1000 / LOOKS_PER_SECOND);
        } catch (OutOfMemoryError full) {
            // Look again.
        }
        return worker.isAlive();
    }

    private void sayWhere(Thread thread, StackTraceElement[] stack) {
        out.println(thread);
        // The recursion that fills the stack is of no interest.
        Arrays.stream(stack).limit(MOST_FRAMES).forEach(element -> out.println("    at " + element));
    }

    private void say(Object... fields) {
        StringBuilder line = new StringBuilder();
        for (Object field : fields) {
            line.append(line.isEmpty() ? "" : SEPARATOR)
                    .append(String.valueOf(field).replaceAll("\\s+", " "));
        }
        out.println(line);
        out.flush();
    }
}
