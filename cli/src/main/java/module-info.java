/**
 * The command {@code percpu}: a demo, what there is to know about the machine, the variables of another process, and
 * the benchmarks.
 */
module dev.percpu.cli {
    requires dev.percpu;
    requires info.picocli;
    requires com.google.gson;
    // For "top": it attaches to another JVM and reads its management bean.
    requires java.management;
    requires java.management.rmi;
    requires jdk.attach;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    // Picocli reads the options' annotations and sets their fields; Gson reads and makes records.
    opens dev.percpu.cli to
            info.picocli,
            com.google.gson;
    opens dev.percpu.cli.demo to
            com.google.gson;
    opens dev.percpu.cli.top to
            com.google.gson;
}
