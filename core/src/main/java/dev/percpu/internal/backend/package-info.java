/** The two ways to update per-CPU memory, and the choice between them. */
@NullMarked
package dev.percpu.internal.backend;

import org.jspecify.annotations.NullMarked;
