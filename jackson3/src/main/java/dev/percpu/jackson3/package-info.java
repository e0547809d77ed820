/** A per-CPU pool for the buffers of Jackson 3. */
@NullMarked
package dev.percpu.jackson3;

import org.jspecify.annotations.NullMarked;
