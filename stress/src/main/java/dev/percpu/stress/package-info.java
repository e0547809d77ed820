/** Runs the stress program, and the tests under jcstress. */
@NullMarked
package dev.percpu.stress;

import org.jspecify.annotations.NullMarked;
