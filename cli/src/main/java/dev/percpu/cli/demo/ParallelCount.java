package dev.percpu.cli.demo;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** Counts files in many threads, half of them virtual, with per-CPU variables. */
final class ParallelCount {
    /** More threads than CPUs, so that they are preempted and moved in the middle of what they do. */
    static final int THREADS = 8 * Runtime.getRuntime().availableProcessors();

    private static final long PROGRESS_MILLIS = 100;

    private final CountingVariables variables;
    private final Queue<Path> waiting;
    private final Map<Path, Fingerprint> counted = new ConcurrentHashMap<>();
    private final Map<Path, IOException> failed = new ConcurrentHashMap<>();

    private ParallelCount(CountingVariables variables, List<Path> files) {
        this.variables = variables;
        this.waiting = new ConcurrentLinkedQueue<>(files);
    }

    /**
     * What came of each file.
     *
     * @param counted what was read of those that were counted
     * @param failed why the others could not be read
     */
    record Outcome(Map<Path, Fingerprint> counted, Map<Path, IOException> failed) {}

    /** Counts files into the variables. The files should come in the order in which they are best begun with. */
    static Outcome count(CountingVariables variables, List<Path> files, Progress.Phase progress) {
        ParallelCount count = new ParallelCount(variables, files);
        count.run(progress);
        return new Outcome(count.counted, count.failed);
    }

    private void run(Progress.Phase progress) {
        try (ExecutorService executor = Executors.newThreadPerTaskExecutor(new MixedThreads())) {
            List<? extends Future<?>> workers = Stream.generate(() -> executor.submit(this::work))
                    .limit(THREADS)
                    .toList();
            for (Future<?> worker : workers) {
                await(worker, progress);
            }
        }
    }

    private void work() {
        FileCounter counter = new FileCounter(variables);
        for (Path file = waiting.poll(); file != null; file = waiting.poll()) {
            try {
                counted.put(file, counter.count(file));
            } catch (IOException e) {
                failed.put(file, e);
            }
        }
    }

    private void await(Future<?> worker, Progress.Phase progress) {
        while (true) {
            try {
                worker.get(PROGRESS_MILLIS, TimeUnit.MILLISECONDS);
                return;
            } catch (TimeoutException e) {
                // Reading a per-CPU number disturbs nobody who updates it.
                progress.reached(variables.bytes.sum());
            } catch (ExecutionException e) {
                waiting.clear();
                throw new IllegalStateException("a counting thread failed: " + e.getCause(), e.getCause());
            } catch (InterruptedException e) {
                waiting.clear();
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while counting", e);
            }
        }
    }

    /** Makes platform and virtual threads by turns. */
    private static final class MixedThreads implements ThreadFactory {
        private final ThreadFactory platform =
                Thread.ofPlatform().name("demo-platform-", 0).factory();
        private final ThreadFactory virtual =
                Thread.ofVirtual().name("demo-virtual-", 0).factory();
        private boolean isVirtualNext;

        @Override
        public Thread newThread(Runnable task) {
            ThreadFactory next = isVirtualNext ? virtual : platform;
            isVirtualNext = !isVirtualNext;
            return next.newThread(task);
        }
    }
}
