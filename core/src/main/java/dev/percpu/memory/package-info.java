/**
 * What describes a per-CPU variable's memory: how wide a number is, and what is thrown when the per-CPU area is full.
 * Nothing here uses any other package of the library.
 */
@NullMarked
package dev.percpu.memory;

import org.jspecify.annotations.NullMarked;
