/** Runs the tests, which are in the packages of what they test. */
@NullMarked
package dev.percpu.stress;

import org.jspecify.annotations.NullMarked;
