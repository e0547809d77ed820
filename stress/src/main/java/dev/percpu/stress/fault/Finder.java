package dev.percpu.stress.fault;

import dev.percpu.stress.JcstressMain;
import dev.percpu.stress.StressMain;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A program that may find a fault.
 *
 * @param kind which program
 * @param what the part of it that is run
 * @param backend on which back end
 */
record Finder(Kind kind, String what, String backend) {
    private static final String ON = " on ";
    private static final Pattern OPERATION_AND_WAY = Pattern.compile("(.+) at (.+)");

    /** A test method that takes longer hangs. */
    private static final int LONGEST_TEST_SECONDS = 60;

    /** Which program. */
    enum Kind {
        /** Tests of the core. */
        TEST(
                "(?ms)^ *JUnit Jupiter:\\w+(?::[^:\\n]+)*?:(\\w+)\\(.*?\\n *=> (?:[a-z]\\w*\\.)*(.*?)(?=\\n\\s+(?:\\[\\.\\.\\.]|[\\w.$/]+\\()|\\z)"),
        /** Some structures in the stress program. */
        STRESS("(?m)^(FAILED): (.*)"),
        /** A jcstress test. */
        JCSTRESS("(?m)^dev\\.percpu\\.stress\\.jcstress\\.([\\w.]+)(?: \\[.*?\\])?: (.*)"),
        /** Some operations, some steps of which fail. */
        FAILURES("(?m)^(FAILED): (.*)");

        private final Pattern failure;

        Kind(String failure) {
            this.failure = Pattern.compile(failure);
        }

        private String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Reads what the list says, such as "stress ref,read-write lock on atomic". */
    static Finder of(String text) {
        int on = text.lastIndexOf(ON);
        String backend = on < 0 ? "rseq" : text.substring(on + ON.length());
        String program = on < 0 ? text : text.substring(0, on);
        for (Kind kind : Kind.values()) {
            if (program.startsWith(kind.word() + " ")) {
                return new Finder(kind, program.substring(kind.word().length() + 1), backend);
            }
        }
        throw new IllegalStateException("no program can be made of 'found by: " + text + "'");
    }

    /**
     * How to call it.
     *
     * @param first what comes first in the class path; empty if the library is as it is
     * @param seconds how long the stress program runs
     */
    List<String> command(Checkout checkout, List<Path> first, int seconds) {
        List<Path> path = new ArrayList<>(first);
        path.addAll(kind == Kind.TEST ? checkout.testClassPath() : Checkout.ownClassPath());
        List<Path> library = new ArrayList<>(first);
        library.add(checkout.classes());
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=/dev/null",
                "-Dpercpu.backend=" + backend,
                // For the JVMs that a test starts.
                "-Dpercpu.test.classes=" + Checkout.join(library),
                "-cp",
                Checkout.join(path)));
        command.addAll(
                switch (kind) {
                    case TEST -> test();
                    case STRESS ->
                        List.of(
                                StressMain.class.getName(),
                                "--seconds",
                                String.valueOf(seconds),
                                "--backend",
                                backend,
                                "--only",
                                what);
                    case JCSTRESS -> jcstress(path);
                    case FAILURES -> failures();
                });
        return command;
    }

    private List<String> test() {
        List<String> command = new ArrayList<>(List.of(
                "org.junit.platform.console.ConsoleLauncher",
                "execute",
                "--disable-banner",
                "--disable-ansi-colors",
                "--details=summary",
                "--fail-if-no-tests",
                "--config=junit.jupiter.execution.timeout.default=" + LONGEST_TEST_SECONDS + "s"));
        if (!backend.equals("rseq")) {
            command.add("--exclude-tag=rseq");
        }
        command.add("--select-" + (what.contains("#") ? "method" : "class") + "=dev.percpu." + what);
        return command;
    }

    private List<String> jcstress(List<Path> path) {
        return List.of(
                JcstressMain.class.getName(),
                "-m",
                "quick",
                "-f",
                "1",
                "-sc",
                "false",
                "-t",
                what,
                "-jvmArgs",
                "--enable-native-access=ALL-UNNAMED -Dpercpu.backend=" + backend + " -cp " + Checkout.join(path));
    }

    private List<String> failures() {
        Matcher parts = OPERATION_AND_WAY.matcher(what);
        if (!parts.matches()) {
            throw new IllegalStateException("'" + what + "' is not an operation at a way to fail");
        }
        return List.of(
                StressMain.class.getName(),
                "--failures",
                "--backend",
                backend,
                "--only",
                parts.group(1),
                "--ways",
                parts.group(2));
    }

    /** What it said about the fault, in a few words. */
    String clue(String output) {
        if (output.contains("# A fatal error has been detected")) {
            return "the JVM crashes";
        }
        Matcher failure = kind.failure.matcher(output);
        if (!failure.find()) {
            return "it fails without saying why";
        }
        String where = failure.group(1);
        String what = failure.group(2).replaceAll("\\s+", " ").strip();
        return where.equals("FAILED") ? what : where + ": " + what;
    }

    @Override
    public String toString() {
        return kind.word() + " " + what + (backend.equals("rseq") ? "" : ON + backend);
    }
}
