/** A first program with per-CPU variables, to read and to run. */
@NullMarked
package dev.percpu.sample;

import org.jspecify.annotations.NullMarked;
