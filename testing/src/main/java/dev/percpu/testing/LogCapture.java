package dev.percpu.testing;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** Collects what the library logs, instead of printing it. */
public final class LogCapture implements AutoCloseable {
    private final Logger logger = Logger.getLogger("dev.percpu");
    private final List<String> messages = new CopyOnWriteArrayList<>();
    private final Runnable meanwhile;
    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord logged) {
            messages.add(logged.getLevel() + ": " + new SimpleFormatter().formatMessage(logged));
            meanwhile.run();
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    public LogCapture() {
        this(() -> {});
    }

    /** Also does something with each message, in the logger: a logger is a user's code, and may throw. */
    public LogCapture(Runnable meanwhile) {
        this.meanwhile = meanwhile;
        handler.setLevel(Level.ALL);
        logger.addHandler(handler);
        logger.setUseParentHandlers(false);
    }

    /** Waits for the first message, which another thread logs, and returns it with its level in front. */
    public String first() throws InterruptedException {
        while (messages.isEmpty()) {
            Thread.sleep(1);
        }
        return messages.getFirst();
    }

    /**
     * Waits for a message that contains this, and returns it with its level in front. Others may come before it: on a
     * machine that is taken away for two seconds, any guard has been held for long.
     */
    public String awaitMessage(String part) throws InterruptedException {
        return awaitMessages(1, part).getFirst();
    }

    /** Waits for so many of them. */
    public List<String> awaitMessages(int count, String part) throws InterruptedException {
        while (true) {
            List<String> found =
                    messages.stream().filter(message -> message.contains(part)).toList();
            if (found.size() >= count) {
                return found;
            }
            Thread.sleep(1);
        }
    }

    /** What was logged so far, each with its level in front. */
    public List<String> messages() {
        return messages;
    }

    @Override
    public void close() {
        logger.removeHandler(handler);
        logger.setUseParentHandlers(true);
    }
}
