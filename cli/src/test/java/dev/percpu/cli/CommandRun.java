package dev.percpu.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.percpu.cli.output.Console;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToIntBiFunction;

/** One run of the command within this process, and what came of it. */
public record CommandRun(int status, String out, String err) {
    /** A run of the command as it is. */
    public static CommandRun of(String... args) {
        return capture(Main::run, args);
    }

    /** A run in which there is but one command, made to the test's taste. */
    static CommandRun of(Function<Console, Object> command, String... args) {
        return capture((console, words) -> Main.run(console, List.of(command.apply(console)), words), args);
    }

    private static CommandRun capture(ToIntBiFunction<Console, String[]> main, String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int status = main.applyAsInt(new Console(new PrintWriter(out), new PrintWriter(err), false, false), args);
        return new CommandRun(status, out.toString(), err.toString());
    }

    JsonObject json() {
        return JsonParser.parseString(out).getAsJsonObject();
    }

    /** The one line that a run has printed that failed. */
    public String failure() {
        assertThat(status).isEqualTo(1);
        assertThat(errLines()).hasSize(1);
        return errLines().getFirst();
    }

    List<String> errLines() {
        return err.lines().toList();
    }
}
