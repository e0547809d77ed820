/**
 * Structures made of per-CPU variables, each with the interface of what it stands in for: counters, a histogram, a
 * pool, a reference count and a read-write lock. Ordering is told in the words of {@link dev.percpu}.
 */
@NullMarked
package dev.percpu.concurrent;

import org.jspecify.annotations.NullMarked;
