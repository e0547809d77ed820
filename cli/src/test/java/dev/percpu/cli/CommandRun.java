package dev.percpu.cli;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.percpu.cli.demo.ReferenceCount;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.function.Supplier;

/** One run of the command within this process, and what came of it. */
public record CommandRun(int status, String out, String err) {
    public static CommandRun of(String... args) {
        return of(ReferenceCount::new, args);
    }

    /** A run in which {@code demo} compares with something else. */
    static CommandRun of(Supplier<ReferenceCount> reference, String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        Console console = new Console(new PrintWriter(out), new PrintWriter(err), false);
        int status = Main.run(Main.commandLine(console, new DemoCommand(console, reference)), console, args);
        return new CommandRun(status, out.toString(), err.toString());
    }

    JsonObject json() {
        return JsonParser.parseString(out).getAsJsonObject();
    }

    List<String> errLines() {
        return err.lines().toList();
    }
}
