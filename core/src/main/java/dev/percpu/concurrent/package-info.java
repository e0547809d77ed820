/**
 * Structures made of per-CPU variables: counters and accumulators, histograms and summaries, events that update several
 * of these in one call, a pool, a reference count and a read-write lock. Where the JDK has a class that a structure can
 * replace, the structure has the methods of that class. For memory ordering, the documentation uses the words that
 * {@link dev.percpu} explains.
 */
@NullMarked
package dev.percpu.concurrent;

import org.jspecify.annotations.NullMarked;
