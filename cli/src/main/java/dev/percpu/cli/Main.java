package dev.percpu.cli;

import dev.percpu.PerCpuRuntime;
import dev.percpu.cli.demo.ReferenceCount;
import dev.percpu.cli.output.CliException;
import dev.percpu.cli.output.Console;
import dev.percpu.cli.output.Messages;
import dev.percpu.cli.output.Terminal;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;

/** The command {@code percpu}. Exit status: 0 if all went well, 1 if something did not, 2 for a wrong command line. */
public final class Main {
    private static final int FAILURE = 1;

    private Main() {}

    /** Runs the command and exits with its status. */
    public static void main(String[] args) {
        System.exit(run(Console.ofProcess(), args));
    }

    /** Runs the command and returns its exit status. It throws nothing. */
    static int run(Console console, String... args) {
        return run(
                console,
                List.of(
                        new DemoCommand(console, ReferenceCount::new),
                        new InfoCommand(console, PerCpuRuntime::runDeepSelfTest),
                        new TopCommand(console, Terminal::now),
                        new BenchCommand(console)),
                args);
    }

    /** Runs one of the commands given. */
    static int run(Console console, List<?> commands, String... args) {
        int status;
        try {
            status = commandLine(console, commands).execute(args);
        } catch (Throwable t) {
            // Picocli lets errors pass.
            console.say(Messages.of(t));
            status = FAILURE;
        }
        console.err().flush();
        if (console.out().checkError()) {
            console.say("the output could not be written");
            status = FAILURE;
        }
        return status;
    }

    private static CommandLine commandLine(Console console, List<?> commands) {
        CommandSpec root = CommandSpec.create().name("percpu").addOption(help());
        root.usageMessage().description("Per-CPU variables for the JVM.").synopsisSubcommandLabel("COMMAND");
        CommandLine commandLine = new CommandLine(root);
        commands.forEach(commandLine::addSubcommand);
        return commandLine
                .setOut(console.out())
                .setErr(console.err())
                .setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF))
                .setParameterExceptionHandler((e, _) -> usageError(console, e))
                .setExecutionExceptionHandler((e, _, _) -> {
                    console.say(Messages.of(e));
                    return FAILURE;
                });
    }

    private static OptionSpec help() {
        return OptionSpec.builder("-h", "--help")
                .usageHelp(true)
                .scopeType(ScopeType.INHERIT)
                .description("Print this help and exit.")
                .build();
    }

    private static int usageError(Console console, ParameterException e) {
        CommandLine command = e.getCommandLine();
        String hint = "see ./" + command.getCommandSpec().qualifiedName() + " --help";
        console.say(Messages.of(new CliException(e.getMessage() + " (" + hint + ")", e)));
        return CommandLine.ExitCode.USAGE;
    }
}
