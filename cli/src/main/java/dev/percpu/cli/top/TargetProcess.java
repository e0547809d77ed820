package dev.percpu.cli.top;

import dev.percpu.cli.output.CliException;
import dev.percpu.cli.output.Messages;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** The process that is shown: whether it can be asked at all, and how long its answers may take. */
final class TargetProcess {
    /** How long a process that no longer answers is given to end. */
    private static final int ENDING_SECONDS = 2;

    private final long pid;

    /** Whether it has left a question without an answer. */
    private volatile boolean silent;

    TargetProcess(long pid) {
        this.pid = pid;
    }

    /**
     * Checks that it is a JVM of this user that runs. To attach to a process, the JDK sends it SIGQUIT. A JVM answers
     * that, but other programs take it as an order to end.
     *
     * @throws CliException if not
     */
    void check() {
        ProcessHandle process = ProcessHandle.of(pid).orElseThrow(() -> new CliException("there is no process " + pid));
        if (pid == ProcessHandle.current().pid()) {
            throw new CliException("process " + pid + " is this command itself");
        }
        Optional<String> user = process.info().user();
        if (user.isPresent() && !user.equals(ProcessHandle.current().info().user())) {
            throw new CliException("process " + pid + " belongs to user " + user.get() + ": run top as that user");
        }
        // Not UTF-8: a file's name can be any bytes.
        try (Stream<String> mappings = Files.lines(file("maps"), StandardCharsets.ISO_8859_1)) {
            if (mappings.noneMatch(mapping -> mapping.contains("/libjvm.so"))) {
                throw new CliException("process " + pid + " is no JVM: it has not loaded libjvm.so");
            }
        } catch (UncheckedIOException e) {
            throw unreadable(Objects.requireNonNull(e.getCause()));
        } catch (IOException e) {
            throw unreadable(e);
        }
        if (isStopped()) {
            throw stopped();
        }
    }

    private CliException unreadable(IOException e) {
        return ProcessHandle.of(pid).isEmpty()
                ? gone(e)
                : new CliException("process " + pid + " cannot be inspected: " + Messages.reason(e), e);
    }

    private Path file(String name) {
        return Paths.get("/proc", Long.toString(pid), name);
    }

    /** Whether a signal or a debugger has stopped it. */
    private boolean isStopped() {
        try {
            String stat = Files.readString(file("stat"), StandardCharsets.ISO_8859_1);
            // The state follows the program's name, which is in parentheses and can have any characters.
            return "Tt".indexOf(stat.charAt(stat.lastIndexOf(')') + 2)) >= 0;
        } catch (IOException e) {
            return false;
        }
    }

    private CliException stopped() {
        return new CliException(
                "process " + pid + " is stopped, by a signal or by a debugger, and cannot answer: have it"
                        + " continue first (kill -CONT " + pid + ")");
    }

    /**
     * Asks the process something and waits for the answer. Neither a connection of the attach mechanism nor one of RMI
     * has a time limit, and a process that is stopped never answers.
     *
     * @param question runs in a thread of its own, which is left to itself if the answer does not come
     * @throws CliException if there is no answer in time, with the reason as far as it is known
     */
    <T> T ask(Duration patience, Supplier<T> question) throws InterruptedException {
        FutureTask<T> answer = new FutureTask<>(question::get);
        Thread.ofPlatform().daemon().name("percpu-top-asks").start(answer);
        try {
            return answer.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            silent = true;
            throw isStopped()
                    ? stopped()
                    : new CliException("process " + pid + " has not answered for " + patience.toSeconds() + " s", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException thrown) {
                throw thrown;
            } else if (e.getCause() instanceof Error thrown) {
                throw thrown;
            }
            throw new AssertionError("no question throws a checked exception", e);
        }
    }

    boolean isSilent() {
        return silent;
    }

    /** The reason, if a conversation with the process failed: it has ended, or something is wrong. */
    CliException gone(Exception cause) {
        // A process that ends closes its connections first, so it may still be there for a moment.
        boolean ended = ProcessHandle.of(pid)
                .map(process -> process.onExit()
                        .thenApply(_ -> true)
                        .completeOnTimeout(false, ENDING_SECONDS, TimeUnit.SECONDS)
                        .join())
                .orElse(true);
        return new CliException("process " + pid + (ended ? " has ended" : " no longer answers"), cause);
    }

    /** What to throw if a step failed: that the process has ended, if it has; otherwise what is said of it. */
    CliException failed(String what, Exception cause) {
        return ProcessHandle.of(pid).isEmpty() ? gone(cause) : new CliException("process " + pid + what, cause);
    }

    @Override
    public String toString() {
        return "process " + pid;
    }
}
