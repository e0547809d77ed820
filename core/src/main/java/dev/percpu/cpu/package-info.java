/** The CPUs of this system: their ids, and sets of them. */
@NullMarked
package dev.percpu.cpu;

import org.jspecify.annotations.NullMarked;
