package dev.percpu.benchmarks.measure;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * What a benchmark is in its class's comparison. Each benchmark has a role, and {@code ./percpu bench} uses the roles
 * when it sets the results side by side.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Role {
    /** What it is. */
    Kind value();

    /**
     * What it does, if the class's benchmarks do not all do the same. Only those with the same task are compared: a
     * lock's write is no peer of a read.
     */
    String task() default "";

    /** What it measures, as tables name it; its method's name if empty. */
    String label() default "";

    /** What a benchmark can be. */
    enum Kind {
        /** This library's. */
        OURS,

        /** Does the same for its user, without this library. */
        PEER,

        /** A peer with platform threads; with virtual ones it does something else, and its method says what. */
        PEER_OF_PLATFORM_THREADS,

        /** Less than what is compared: the part of it that no Java library can do without. */
        FLOOR,

        /** Does something else, to show where the time goes; its class says what. */
        NOT_COMPARABLE
    }
}
