package dev.percpu.stress.fault;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
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

    /** Such as "exactness.c -DPAUSE=200: 5000 guards". */
    private static final Pattern C_TEST = Pattern.compile("(\\w+\\.c)((?: -\\S+)*?)(?::((?: [\\w-]+)+))?");

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
        FAILURES("(?m)^(FAILED): (.*)"),
        /**
         * A test of the C header: its file, options for the compiler, and after a colon what it is called with. On
         * {@code atomic} the C library registers no thread for sequences.
         */
        C("(?m)^(?:\\S*/)?(\\w+\\.c:\\d+): (.*)");

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
     * @param first what comes first in the class path or, for a test of the header, where the header is; empty if
     *     everything is as it is
     * @param seconds how long the stress program runs
     */
    List<String> command(Checkout checkout, Programs programs, List<Path> first, int seconds) {
        return kind == Kind.C
                ? c(first.isEmpty() ? checkout.include() : first.getFirst())
                : java(checkout, programs, first, seconds);
    }

    private List<String> c(Path include) {
        Matcher parts = C_TEST.matcher(what);
        if (!parts.matches()) {
            throw new IllegalStateException("'" + what + "' is not a test, options and a colon with arguments");
        }
        String compile = "gcc -std=c11 -O2 -D_GNU_SOURCE -pthread -I\"$1\" -Isrc/test/c" + parts.group(2)
                + " -o \"$program\" src/test/c/" + parts.group(1);
        String run = (backend.equals("rseq") ? "" : "GLIBC_TUNABLES=glibc.pthread.rseq=0 ") + "\"$program\""
                + Objects.requireNonNullElse(parts.group(3), "");
        String all = "program=$(mktemp) && trap 'rm -f \"$program\"' EXIT && " + compile + " && " + run;
        return List.of("sh", "-c", all, "sh", include.toString());
    }

    private List<String> java(Checkout checkout, Programs programs, List<Path> first, int seconds) {
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
                                programs.stress().getName(),
                                "--seconds",
                                String.valueOf(seconds),
                                "--backend",
                                backend,
                                "--only",
                                what);
                    case JCSTRESS -> jcstress(programs, path);
                    case FAILURES -> failures(programs);
                    case C -> throw new IllegalStateException("it does not run in a JVM");
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

    private List<String> jcstress(Programs programs, List<Path> path) {
        return List.of(
                programs.jcstress().getName(),
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

    private List<String> failures(Programs programs) {
        Matcher parts = OPERATION_AND_WAY.matcher(what);
        if (!parts.matches()) {
            throw new IllegalStateException("'" + what + "' is not an operation at a way to fail");
        }
        return List.of(
                programs.stress().getName(),
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
