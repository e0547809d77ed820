/** Who owns which CPU's data, how threads wait for it, and how they take it over when the owner dies. */
@NullMarked
package dev.percpu.internal.guard;

import org.jspecify.annotations.NullMarked;
