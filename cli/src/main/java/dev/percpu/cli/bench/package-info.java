/** Runs the JMH benchmarks in a process of their own, and sets their results side by side. */
@NullMarked
package dev.percpu.cli.bench;

import org.jspecify.annotations.NullMarked;
