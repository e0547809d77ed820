package dev.percpu.testing;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Moves threads between CPUs and sends them signals, as fast as it can, while something runs. The threads are chosen by
 * their name, as the kernel has it (15 characters); which they are is looked up all the time.
 *
 * <p>The signal is SIGPROF, as profilers send it, and its handler is a single return instruction: what matters is that
 * the kernel delivers it, and aborts the sequence it falls into.
 */
public final class Disturbance {
    private static final int SIGPROF = 27;
    private static final long SA_RESTART = 0x10000000L;
    private static final int SIGACTION_BYTES = 152;
    private static final int LONGEST_NAME = 15;

    /** In what a virtual thread says of itself. */
    private static final Pattern CARRIER = Pattern.compile("@(ForkJoinPool-\\d+)-worker");

    private static final MethodHandle TGKILL =
            CLibrary.function("tgkill", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle SIGACTION =
            CLibrary.function("sigaction", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));

    private final Predicate<String> chosen;
    private final Random random;
    private final Thread thread;
    private volatile boolean begun;
    private volatile boolean stopped;
    private volatile @Nullable Throwable failure;
    private long migrations;
    private long signals;

    /** To which CPU each thread was bound last. */
    private final Map<Integer, Integer> bound = new HashMap<>();

    private Disturbance(Predicate<String> chosen, long seed) {
        this.chosen = chosen;
        this.random = new Random(seed);
        this.thread = new Thread(this::run, "disturbance");
    }

    /** What runs while threads are disturbed. */
    @FunctionalInterface
    public interface Body {
        void run() throws InterruptedException;
    }

    /**
     * What was done to the threads.
     *
     * @param migrations how often a thread was bound to another CPU than before
     * @param signals how many signals were sent
     */
    public record Report(long migrations, long signals) {}

    /** Runs the body while threads whose names begin with the prefix are disturbed. */
    public static Report during(String prefix, long seed, Body body) throws InterruptedException {
        if (prefix.length() > LONGEST_NAME) {
            throw new IllegalArgumentException("the kernel cuts thread names to 15 characters: " + prefix);
        }
        return during((String name) -> name.startsWith(prefix), seed, body);
    }

    /** Runs the body while the carriers of virtual threads are disturbed. */
    public static Report ofCarriers(long seed, Body body) throws InterruptedException {
        return during(carriers(), seed, body);
    }

    /**
     * How the names of carriers begin. They have the number of their pool, and other pools may have been made before
     * it: JUnit's, for example, of which a worker runs the test itself.
     */
    private static String carriers() throws InterruptedException {
        CompletableFuture<String> description = new CompletableFuture<>();
        Thread.ofVirtual()
                .start(() -> description.complete(Thread.currentThread().toString()))
                .join();
        Matcher carrier = CARRIER.matcher(description.join());
        if (!carrier.find()) {
            throw new AssertionError("no carrier in " + description.join());
        }
        return carrier.group(1);
    }

    /** Runs the body while threads are disturbed whose names, as the kernel has them, are chosen. */
    public static Report during(Predicate<String> chosen, long seed, Body body) throws InterruptedException {
        handleSignal();
        Disturbance disturbance = new Disturbance(chosen, seed);
        disturbance.thread.start();
        // They could be done before the first signal.
        Workers.beginWhen(() -> disturbance.begun || disturbance.failure != null);
        try {
            body.run();
        } finally {
            Workers.beginWhen(() -> true);
            disturbance.stopped = true;
            disturbance.thread.join();
        }
        if (disturbance.failure != null) {
            throw new AssertionError("the disturbance failed", disturbance.failure);
        }
        return new Report(disturbance.migrations, disturbance.signals);
    }

    private void run() {
        try {
            BitSet usable = Affinity.ofMainThread();
            int[] cpus = usable.stream().toArray();
            List<Integer> threads = List.of();
            for (long round = 0; !stopped; round++) {
                if (round % 512 == 0) {
                    threads = threads();
                    bound.keySet().retainAll(threads);
                }
                for (int thread : threads) {
                    disturb(thread, cpus, round);
                }
            }
            for (int thread : threads()) {
                Affinity.bind(thread, usable);
            }
        } catch (Throwable t) {
            failure = t;
        }
    }

    private void disturb(int thread, int[] cpus, long round) throws Throwable {
        if (round % 4 == 0) {
            int cpu = cpus[random.nextInt(cpus.length)];
            BitSet one = new BitSet();
            one.set(cpu);
            if (Affinity.bind(thread, one)) {
                Integer before = bound.put(thread, cpu);
                if (before != null && before != cpu) {
                    migrations++;
                }
            }
        }
        int result = (int) TGKILL.invokeExact((int) ProcessHandle.current().pid(), thread, SIGPROF);
        if (result == 0) {
            signals++;
            begun = true;
        }
    }

    private List<Integer> threads() {
        try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
            List<Integer> threads = new ArrayList<>();
            tasks.forEach(task -> {
                if (chosen.test(name(task))) {
                    threads.add(Integer.valueOf(task.getFileName().toString()));
                }
            });
            return threads;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String name(Path task) {
        try {
            return Files.readString(task.resolve("comm"));
        } catch (NoSuchFileException ended) {
            return "";
        } catch (IOException e) {
            if (!Files.exists(task)) {
                // Reading the name of a thread that ends meanwhile fails in more than one way.
                return "";
            }
            throw new UncheckedIOException(e);
        }
    }

    private static void handleSignal() {
        MemorySegment code = MachineCode.map(Machine.current().returnOnly());
        try (Arena arena = Arena.ofConfined()) {
            // struct sigaction: handler, mask of 128 bytes, flags, restorer.
            MemorySegment action = arena.allocate(SIGACTION_BYTES, Long.BYTES);
            action.set(JAVA_LONG, 0, code.address());
            action.set(JAVA_INT, 136, (int) SA_RESTART);
            int result = (int) SIGACTION.invokeExact(SIGPROF, action, MemorySegment.NULL);
            if (result != 0) {
                throw new IllegalStateException("sigaction failed");
            }
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }
}
