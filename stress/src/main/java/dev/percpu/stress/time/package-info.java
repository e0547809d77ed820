/** Time by which the stress program waits. */
@NullMarked
package dev.percpu.stress.time;

import org.jspecify.annotations.NullMarked;
