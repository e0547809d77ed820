/**
 * Counts real files with per-CPU variables, and counts them again without.
 *
 * <p>{@link dev.percpu.cli.demo.Demo} is the whole of it: {@link dev.percpu.cli.demo.ParallelCount} counts in many
 * threads, {@link dev.percpu.cli.demo.ReferenceCount} in one, and the {@link dev.percpu.cli.demo.Totals} of both must
 * be the same.
 */
@NullMarked
package dev.percpu.cli.demo;

import org.jspecify.annotations.NullMarked;
