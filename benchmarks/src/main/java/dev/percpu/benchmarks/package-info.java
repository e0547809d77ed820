/**
 * What per-CPU variables cost, side by side with what else there is.
 *
 * <p>Each class is one comparison. Within it, a benchmark whose name begins with {@code perCpu} is this library's, and
 * {@code cSequence} is the floor: the same machine instructions, inlined in C. Every other one is a peer.
 */
@NullMarked
package dev.percpu.benchmarks;

import org.jspecify.annotations.NullMarked;
