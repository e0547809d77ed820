/** Faults that are put into the library on purpose, to see that a test or the stress program finds each of them. */
@NullMarked
package dev.percpu.stress.fault;

import org.jspecify.annotations.NullMarked;
