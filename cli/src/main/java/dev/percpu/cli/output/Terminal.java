package dev.percpu.cli.output;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How large the terminal is that shows standard output. What cannot be found out is {@link #UNLIMITED}.
 *
 * @param lines how many lines it shows
 * @param columns how many characters fit on a line
 */
public record Terminal(int lines, int columns) {
    /** More than there is of anything. */
    public static final int UNLIMITED = Integer.MAX_VALUE;

    private static final Pattern SIZE = Pattern.compile("(\\d{1,5}) (\\d{1,5})\\s*");

    /** As it is now; a user can change its size. */
    public static Terminal now() {
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(Path.of("/proc/self/fd/1").toFile())
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return of(new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII));
        } catch (IOException e) {
            // There is no stty, or no terminal.
            return new Terminal(UNLIMITED, UNLIMITED);
        }
    }

    /** What {@code stty} printed. */
    static Terminal of(String size) {
        Matcher matcher = SIZE.matcher(size);
        return matcher.matches()
                ? new Terminal(limit(matcher.group(1)), limit(matcher.group(2)))
                : new Terminal(UNLIMITED, UNLIMITED);
    }

    /** A terminal whose size nobody has set says 0. */
    private static int limit(String number) {
        int limit = Integer.parseInt(number);
        return limit == 0 ? UNLIMITED : limit;
    }

    /** As much of a text as it shows at a time, with the cursor below the last line. */
    public String shown(String text) {
        StringBuilder shown = new StringBuilder();
        text.lines()
                .limit(lines - 1)
                .forEach(line -> shown.append(line, 0, end(line)).append('\n'));
        return shown.toString();
    }

    /** Half of a character outside the basic plane would be shown as another one. */
    private int end(String line) {
        int end = Math.min(line.length(), columns);
        return end < line.length() && Character.isHighSurrogate(line.charAt(end - 1)) ? end - 1 : end;
    }
}
