/** An HTTP server on virtual threads that measures itself per CPU. */
module dev.percpu.example {
    requires dev.percpu;
    requires dev.percpu.prometheus;
    requires info.picocli;
    requires io.prometheus.metrics.core;
    requires io.prometheus.metrics.model;
    requires io.prometheus.writer.text;
    requires jdk.httpserver;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    // Picocli reads the options' annotations and sets their fields.
    opens dev.percpu.example to
            info.picocli;
}
