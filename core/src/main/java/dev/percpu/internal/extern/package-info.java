/** Per-CPU variables that C code defines with {@code percpu.h}, and how their libraries are found and placed. */
@NullMarked
package dev.percpu.internal.extern;

import org.jspecify.annotations.NullMarked;
