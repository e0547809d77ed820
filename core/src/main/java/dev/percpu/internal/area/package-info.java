/** The memory that per-CPU variables live in, and which variable has which part of it. */
@NullMarked
package dev.percpu.internal.area;

import org.jspecify.annotations.NullMarked;
