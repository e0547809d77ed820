/**
 * Whole programs, in which a part of a library is replaced by this library's: what that changes in their throughput and
 * in their latency.
 */
@NullMarked
package dev.percpu.benchmarks.programs;

import org.jspecify.annotations.NullMarked;
