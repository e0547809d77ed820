/**
 * What two threads can do to each other in a structure, under jcstress: many times the same few steps, and what comes
 * of it.
 */
@NullMarked
package dev.percpu.stress.jcstress;

import org.jspecify.annotations.NullMarked;
