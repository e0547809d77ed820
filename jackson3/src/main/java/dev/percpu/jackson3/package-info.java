/** A per-CPU pool for the buffers of Jackson 3. Its source is that of Jackson 2's: see jackson3/generate. */
@NullMarked
package dev.percpu.jackson3;

import org.jspecify.annotations.NullMarked;
