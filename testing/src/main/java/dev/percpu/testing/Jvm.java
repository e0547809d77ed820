package dev.percpu.testing;

import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A JVM of its own for what can be tried once per process: how the back end is chosen, how large things are. */
public final class Jvm {
    private static final String BACKEND = "percpu.backend";

    /**
     * Processes that still run are killed after so long; later in an emulated machine. That is before JUnit gives up,
     * which would not say what they print.
     */
    private Duration most = Duration.ofMinutes(4);

    private final List<String> options = new ArrayList<>(List.of("-Xmx256m"));
    private final Map<String, String> environment = new HashMap<>();
    private final List<String> wrapper = new ArrayList<>();
    private final List<Runnable> refusals = new ArrayList<>();
    private final List<String> classPath = new ArrayList<>();
    private boolean nativeAccess = true;
    private String collector = "Serial";

    /**
     * How it ended.
     *
     * @param status the exit status
     * @param output what it printed on either stream
     */
    public record Result(int status, String output) {
        /** The number that it printed behind {@code what} and an equals sign, on a line of its own. */
        public long number(String what) {
            Matcher matcher = Pattern.compile("(?m)^" + what + "=(-?\\d+)$").matcher(output);
            if (!matcher.find()) {
                throw new AssertionError("there is no line " + what + "= in: " + output);
            }
            return Long.parseLong(matcher.group(1));
        }
    }

    /** Prints a number where {@link Result#number} finds it. For a main method that {@link #run} calls. */
    public static void print(String what, long number) {
        System.out.println(what + "=" + number);
    }

    /** One with this JVM's back end. Without native access, if this one has none. */
    public static Jvm asHere() {
        Jvm jvm = new Jvm();
        if (!Jvm.class.getModule().isNativeAccessEnabled()) {
            jvm.withoutNativeAccess().option("-Dpercpu.backend=atomic");
        } else if (System.getProperty(BACKEND) != null) {
            jvm.option("-D" + BACKEND + "=" + System.getProperty(BACKEND));
        }
        return jvm;
    }

    public Jvm option(String option) {
        options.add(option);
        return this;
    }

    /** Takes another garbage collector than the serial one, such as {@code G1}. */
    public Jvm collector(String name) {
        collector = name;
        return this;
    }

    public Jvm environment(String name, String value) {
        environment.put(name, value);
        return this;
    }

    public Jvm withoutNativeAccess() {
        nativeAccess = false;
        return this;
    }

    /** Has the kernel refuse a system call to the JVM from its first instruction on, the C library's part included. */
    public Jvm refusing(Machine.Call call, int errno) {
        refusals.add(() -> Seccomp.refuse(call, errno));
        return this;
    }

    /** The same, but only if one of the call's arguments, counted from 0, has a value. */
    public Jvm refusing(Machine.Call call, int argument, int value, int errno) {
        refusals.add(() -> Seccomp.refuse(call, argument, value, errno));
        return this;
    }

    /** What else is on the class path, besides the classes of the module that is tested and of this one. */
    public Jvm with(String morePath) {
        classPath.add(morePath);
        return this;
    }

    /** All that this JVM has on its module path and its class path is on the class path, too. */
    public Jvm withPathsOfHere() {
        return with(System.getProperty("jdk.module.path", "")).with(System.getProperty("java.class.path", ""));
    }

    /** Has another command start the JVM. */
    public Jvm startedBy(String... command) {
        wrapper.addAll(List.of(command));
        return this;
    }

    /** How long it may run; four minutes otherwise. */
    public Jvm within(Duration limit) {
        most = limit;
        return this;
    }

    /**
     * Runs a class's main method on the class path.
     *
     * @throws AssertionError if it takes too long; then it is killed, with all that it has started
     */
    public Result run(Class<?> main, String... arguments) {
        List<String> command = new ArrayList<>(wrapper);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-XX:+Use" + collector + "GC");
        command.addAll(options);
        command.addAll(given());
        command.add("--illegal-native-access=deny");
        if (nativeAccess) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        List<String> path = new ArrayList<>(
                List.of(System.getProperty("percpu.test.classes", "target/classes"), "target/test-classes", here()));
        path.addAll(classPath);
        command.addAll(List.of("-cp", String.join(File.pathSeparator, path)));
        command.add(main.getName());
        command.addAll(List.of(arguments));
        ProcessBuilder builder = Processes.withoutOptionsOfTheUser(new ProcessBuilder(command));
        builder.environment().putAll(environment);
        return Processes.run(builder, most, this::start);
    }

    /** Does the same, and returns what it prints. It must end with status 0. */
    public String outputOf(Class<?> main, String... arguments) {
        Result result = run(main, arguments);
        if (result.status() != 0) {
            throw new AssertionError("status " + result.status() + ": " + result.output());
        }
        return result.output();
    }

    /** Where this module's classes are: a directory or a jar, wherever it was built or copied to. */
    private static String here() {
        try {
            return Path.of(Jvm.class
                            .getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .toString();
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    /** Options that every JVM is to have, by the property {@code percpu.test.jvm}: what an emulated machine needs. */
    private static List<String> given() {
        return List.of(System.getProperty("percpu.test.jvm", "").split(" ")).stream()
                .filter(option -> !option.isEmpty())
                .toList();
    }

    /**
     * A process is started by the calling thread, whose filters it inherits, so that thread is not to be used again.
     */
    private Process start(ProcessBuilder builder) throws InterruptedException, IOException {
        FutureTask<Process> starting = new FutureTask<>(() -> {
            refusals.forEach(Runnable::run);
            return builder.start();
        });
        new Thread(starting, "starts-a-jvm").start();
        try {
            return starting.get();
        } catch (ExecutionException e) {
            throw new IOException(e);
        }
    }
}
