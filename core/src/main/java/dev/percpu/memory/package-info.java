/**
 * Types that describe a per-CPU variable's memory: the width of a number, and the exception for a full per-CPU area.
 */
@NullMarked
package dev.percpu.memory;

import org.jspecify.annotations.NullMarked;
