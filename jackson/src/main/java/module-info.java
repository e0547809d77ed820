/** A per-CPU pool for the buffers of Jackson 2. */
module dev.percpu.jackson {
    requires dev.percpu;
    requires transitive com.fasterxml.jackson.core;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports dev.percpu.jackson;
}
