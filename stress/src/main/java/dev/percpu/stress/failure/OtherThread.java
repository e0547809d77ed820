package dev.percpu.stress.failure;

import dev.percpu.stress.time.RunningTime;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A thread in which no step fails. It holds what an operation has to wait for, and checks that what was left behind is
 * usable for others.
 */
final class OtherThread {
    private static final int PATIENCE_SECONDS = 12;
    private static final int LOOK_MILLIS = 100;

    /** How long it looks for the waiting of a thread that may not wait at all, as its operation has failed before. */
    private static final long LONGEST_LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(4);

    /** See {@link #insist}. */
    private static final int ATTEMPTS_WITHOUT_RESERVE = 20;

    private static final int RESERVE_BYTES = 1 << 16;

    @SuppressWarnings("UnusedVariable") // that it is there takes memory
    private static volatile byte @Nullable [] reserve;

    private ExecutorService executor = start();
    private @Nullable Future<?> running;

    /** Something that a thread does. */
    @FunctionalInterface
    interface Action {
        void run() throws Exception;
    }

    private static ExecutorService start() {
        ExecutorService executor = Executors.newSingleThreadExecutor(
                Thread.ofPlatform().daemon().name("other").factory());
        // Now, and not when something is first asked of it: by then the caller may be one to which threads are refused.
        executor.execute(() -> {});
        return executor;
    }

    /** Lets the thread end, and give back the place of its own that it may have: there are only so many. */
    void end() {
        executor.shutdown();
    }

    /** Does something in that thread. */
    void run(String what, Action action) throws Exception {
        Object _ = call(what, () -> {
            action.run();
            return what;
        });
    }

    /**
     * Does something in that thread, and returns its result.
     *
     * @param what for the message
     * @throws Violation if it does not return
     */
    <T extends @Nullable Object> T call(String what, Callable<T> task) throws Exception {
        return result(what, executor.submit(task));
    }

    /**
     * Does something in that thread as soon as the calling thread waits, or a little later if it does not. To be
     * followed by {@link #finish}.
     */
    void runWhenThisThreadWaits(Action action) {
        reserve = new byte[RESERVE_BYTES];
        Thread waiter = Thread.currentThread();
        running = executor.submit(() -> {
            long end = System.nanoTime() + LONGEST_LOOK_NANOS;
            while (!waits(waiter) && System.nanoTime() < end) {
                Thread.sleep(0, 100_000);
            }
            // A moment in which the waiter can be interrupted first.
            Thread.sleep(1);
            action.run();
            return true;
        });
    }

    /**
     * Gives something back, and tries again as long as there is no memory. While the heap is full for the operation,
     * it is full for the other thread, too: in checked mode, giving something back needs memory. At first the
     * operation may run out of it as well, which ends its wait. But a wait may also go on without it ({@code
     * Condition} does), so after some attempts there is a reserve. If an attempt fails at its end, the next one throws
     * an exception, as there is nothing left to give back.
     *
     * @param giveBack refers to no variable, or else it would take memory itself
     */
    static <T> void insist(Consumer<? super T> giveBack, T held) throws InterruptedException {
        int failed = 0;
        while (true) {
            try {
                giveBack.accept(held);
                return;
            } catch (OutOfMemoryError full) {
                failed++;
                if (failed == ATTEMPTS_WITHOUT_RESERVE) {
                    reserve = null;
                }
                Thread.sleep(1);
            } catch (IllegalStateException | IllegalMonitorStateException nothingLeft) {
                if (failed > 0) {
                    return;
                }
                throw nothingLeft;
            }
        }
    }

    /** Whether a thread waits, for anything. */
    static boolean waits(Thread thread) {
        return switch (thread.getState()) {
            case WAITING, TIMED_WAITING, BLOCKED -> true;
            default -> false;
        };
    }

    /**
     * Starts something in that thread that waits for the calling thread, and returns once it does.
     *
     * @return that thread
     */
    Thread startWaiting(Action action) throws Exception {
        CompletableFuture<Thread> begun = new CompletableFuture<>();
        running = executor.submit(() -> {
            begun.complete(Thread.currentThread());
            action.run();
            return true;
        });
        // Not earlier: between two tasks that thread waits, too.
        Thread thread = get(begun);
        while (!waits(thread)) {
            Thread.sleep(0, 100_000);
        }
        return thread;
    }

    /** Waits for the end of what was started. */
    void finish(String what) throws Exception {
        Future<?> started = running;
        running = null;
        if (started != null) {
            Object _ = result(what, started);
        }
    }

    private <T extends @Nullable Object> T result(String what, Future<T> task) throws Exception {
        boolean interrupted = Thread.interrupted();
        try {
            return get(task);
        } catch (TimeoutException e) {
            executor.shutdown();
            executor = start();
            throw new Violation(what + ": another thread waits for ever");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Violation violation) {
                throw violation;
            }
            throw new Violation(what + ": another thread got " + e.getCause());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** What a future becomes while this process runs for so long, and has the CPUs that it needs. */
    private static <T extends @Nullable Object> T get(Future<T> future)
            throws InterruptedException, ExecutionException, TimeoutException {
        RunningTime waited = new RunningTime();
        while (true) {
            try {
                return future.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                if (waited.nanos() >= TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS)) {
                    if (!CpuShortage.isHere()) {
                        throw e;
                    }
                    waited = new RunningTime();
                }
            }
        }
    }
}
