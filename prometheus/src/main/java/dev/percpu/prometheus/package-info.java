/**
 * The Prometheus client's counter, gauge and histogram, kept per CPU. Names and builders are those of
 * {@code io.prometheus.metrics.core.metrics}, so that a program moves over by its imports.
 */
@NullMarked
package dev.percpu.prometheus;

import org.jspecify.annotations.NullMarked;
