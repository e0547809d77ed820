/** A per-CPU pool for the buffers of Jackson 2. */
@NullMarked
package dev.percpu.jackson;

import org.jspecify.annotations.NullMarked;
