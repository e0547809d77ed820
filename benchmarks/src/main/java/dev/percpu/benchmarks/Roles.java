package dev.percpu.benchmarks;

import dev.percpu.benchmarks.measure.Role;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.VerboseMode;

/** The roles of all benchmarks. */
final class Roles {
    /** What comes before them in the output. A JVM may print something too, about its options. */
    private static final String HEADER = "Roles:";

    private Roles() {}

    /**
     * The role of each benchmark, by the name that JMH has for it.
     *
     * @throws IllegalStateException if a benchmark has none
     */
    static SortedMap<String, Role> all() {
        SortedMap<String, Role> roles = new TreeMap<>();
        for (String type : classes()) {
            for (Method method : type(type).getDeclaredMethods()) {
                if (method.isAnnotationPresent(Benchmark.class)) {
                    String name = type + "." + method.getName();
                    Role role = method.getAnnotation(Role.class);
                    if (role == null) {
                        throw new IllegalStateException(name + " has no role: give it an @Role");
                    }
                    roles.put(name, role);
                }
            }
        }
        return roles;
    }

    /** Prints a line for each benchmark, with tabs between: its name, its role, its task if it has one, its label. */
    static void print(PrintStream out) {
        out.println(HEADER);
        all().forEach((name, role) ->
                out.println(String.join("\t", name, role.value().toString(), role.task(), label(name, role))));
    }

    private static String label(String name, Role role) {
        return role.label().isEmpty() ? "`" + name.substring(name.lastIndexOf('.') + 1) + "`" : role.label();
    }

    private static SortedSet<String> classes() {
        SortedSet<String> classes = new TreeSet<>();
        for (BenchmarkListEntry benchmark : BenchmarkList.defaultList()
                .getAll(OutputFormatFactory.createFormatInstance(System.err, VerboseMode.SILENT), List.of())) {
            classes.add(benchmark.getUserClassQName());
        }
        return classes;
    }

    private static Class<?> type(String name) {
        try {
            // Initializing it would define its variables.
            return Class.forName(name, false, Roles.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException("JMH lists a class that is not there: " + name, e);
        }
    }
}
