package dev.percpu.cli.demo;

import dev.percpu.cli.output.Console;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** Tells how far counting is: on one line of a terminal that is overwritten, or seldom on a line of its own. */
final class Progress {
    private static final long TERMINAL_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long LOG_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long BYTES_PER_MB = 1_000_000;

    private final Console console;

    Progress(Console console) {
        this.console = console;
    }

    /** Begins with something that is done with so many bytes. */
    Phase begin(String what, long bytes) {
        return new Phase(what, bytes);
    }

    /** One thing that takes its time. Closing it clears the line of a terminal. */
    final class Phase implements AutoCloseable {
        private final String what;
        private final long bytes;
        private final long begin = System.nanoTime();
        private long lastTold = begin;
        private int width;

        private Phase(String what, long bytes) {
            this.what = what;
            this.bytes = bytes;
        }

        /** Tells about it if the last time is long enough ago. */
        void reached(long bytesDone) {
            long now = System.nanoTime();
            if (now - lastTold < (console.errIsTerminal() ? TERMINAL_NANOS : LOG_NANOS)) {
                return;
            }
            lastTold = now;
            String line = String.format(
                    Locale.ROOT, "%s: %,d of %,d MB", what, bytesDone / BYTES_PER_MB, bytes / BYTES_PER_MB);
            if (console.errIsTerminal()) {
                overwrite(line);
            } else {
                console.say(line);
            }
        }

        /** How long it has been going on, in seconds. */
        double seconds() {
            return (System.nanoTime() - begin) / 1e9;
        }

        @Override
        public void close() {
            if (width > 0) {
                overwrite("");
                console.err().print('\r');
                console.err().flush();
            }
        }

        private void overwrite(String line) {
            console.err().print('\r' + line + " ".repeat(Math.max(0, width - line.length())));
            console.err().flush();
            width = line.length();
        }
    }
}
