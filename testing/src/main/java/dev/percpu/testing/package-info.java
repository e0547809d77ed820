/**
 * What the tests of several modules need. Nothing in here uses the library: the library's own tests use this module, so
 * the other direction would be a cycle.
 */
@NullMarked
package dev.percpu.testing;

import org.jspecify.annotations.NullMarked;
