/** Statistics of Caffeine caches in per-CPU counters: see {@link dev.percpu.caffeine.PerCpuStatsCounter}. */
@NullMarked
package dev.percpu.caffeine;

import org.jspecify.annotations.NullMarked;
