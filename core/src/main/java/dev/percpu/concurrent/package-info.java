/**
 * Structures made of per-CPU variables, each with the methods of the class that it can replace: counters, a histogram,
 * a pool, a reference count and a read-write lock. For memory ordering, the documentation uses the words that {@link
 * dev.percpu} explains.
 */
@NullMarked
package dev.percpu.concurrent;

import org.jspecify.annotations.NullMarked;
