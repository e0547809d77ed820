package dev.percpu.example;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command {@code percpu example}. It runs until the process is stopped. */
@Command(
        name = "percpu example",
        description = "An HTTP server on virtual threads that measures itself per CPU, and shows that on a page.")
public final class Main implements Callable<Integer> {
    private static final int HIGHEST_PORT = 65535;

    @Spec
    @SuppressWarnings("NullAway.Init") // Picocli sets it.
    private CommandSpec spec;

    @Option(
            names = "--port",
            paramLabel = "N",
            defaultValue = "8080",
            description =
                    "The port, on the loopback interface only; 0 for any that is free (default: ${DEFAULT-VALUE}).")
    private int port;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this help and exit.")
    @SuppressWarnings("UnusedVariable") // Picocli looks at the option.
    private boolean help;

    private Main() {}

    /** Runs the server. */
    public static void main(String[] args) {
        CommandLine command = new CommandLine(new Main())
                .setParameterExceptionHandler((wrong, _) -> {
                    CommandLine commandLine = wrong.getCommandLine();
                    commandLine.getErr().println("percpu: " + wrong.getMessage() + " (see ./percpu example --help)");
                    return CommandLine.ExitCode.USAGE;
                })
                .setExecutionExceptionHandler((failure, commandLine, _) -> failed(commandLine, failure));
        int status;
        try {
            status = command.execute(args);
        } catch (ExceptionInInitializerError e) {
            // The back end that was asked for cannot run here. Picocli lets errors pass.
            status = failed(command, Objects.requireNonNullElse(e.getCause(), e));
        }
        System.exit(status);
    }

    private static int failed(CommandLine command, Throwable failure) {
        command.getErr().println("percpu: " + failure.getMessage());
        return CommandLine.ExitCode.SOFTWARE;
    }

    @Override
    public Integer call() throws InterruptedException, IOException {
        if (port < 0 || port > HIGHEST_PORT) {
            throw new ParameterException(
                    spec.commandLine(), "the port must be from 0 to " + HIGHEST_PORT + ", not " + port);
        }
        try (ExampleServer server = ExampleServer.start(port)) {
            PrintWriter out = spec.commandLine().getOut();
            String address = "http://127.0.0.1:" + server.port();
            out.println("Status page: " + address + "/");
            out.println("Metrics:     " + address + "/metrics");
            out.println("To measure:  wrk -t2 -c16 -d10s " + address + "/hello");
            out.flush();
            // Until the process is stopped.
            new CountDownLatch(1).await();
        }
        return CommandLine.ExitCode.OK;
    }
}
