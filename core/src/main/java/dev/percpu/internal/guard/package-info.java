/** Who owns which CPU's data: waiting for it, and what becomes of it when the owner dies. */
@NullMarked
package dev.percpu.internal.guard;

import org.jspecify.annotations.NullMarked;
