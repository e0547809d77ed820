/**
 * Structures made of per-CPU variables: counters and accumulators, histograms and summaries, events that update several
 * of these in one call, a pool, a reference count and a read-write lock. Some have the methods of a class of the JDK,
 * and can replace it: {@code PerCpuCounter}, for example, replaces a {@code LongAdder}. For memory ordering, the
 * documentation uses the words that {@link dev.percpu} explains. That page also says what a null or blank name does.
 */
@NullMarked
package dev.percpu.concurrent;

import org.jspecify.annotations.NullMarked;
