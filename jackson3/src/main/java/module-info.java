/** A per-CPU pool for the buffers of Jackson 3. */
@SuppressWarnings("module") // the digit is that of Jackson's version
module dev.percpu.jackson3 {
    requires dev.percpu;
    requires transitive tools.jackson.core;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports dev.percpu.jackson3;
}
