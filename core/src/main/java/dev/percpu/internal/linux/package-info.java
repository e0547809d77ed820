/** The kernel and libc as this library uses them: system calls, the rseq registration, lists of CPUs. */
@NullMarked
package dev.percpu.internal.linux;

import org.jspecify.annotations.NullMarked;
