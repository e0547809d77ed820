/**
 * What per-CPU variables cost, side by side with what else there is.
 *
 * <p>Each class is one comparison, and says what its question is. Each benchmark has a {@link
 * dev.percpu.benchmarks.measure.Role}: this library's, a peer of it, a floor, or none of these.
 */
@NullMarked
package dev.percpu.benchmarks;

import org.jspecify.annotations.NullMarked;
