/** Makes each step of each operation fail in turn, and checks what is left behind. */
@NullMarked
package dev.percpu.stress.failure;

import org.jspecify.annotations.NullMarked;
