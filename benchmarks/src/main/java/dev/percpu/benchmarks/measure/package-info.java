/** What benchmarks and programs share: the role of each in a comparison, what was measured, and other processes. */
@NullMarked
package dev.percpu.benchmarks.measure;

import org.jspecify.annotations.NullMarked;
