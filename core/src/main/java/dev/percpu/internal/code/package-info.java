/**
 * The machine code of the restartable sequences: {@link dev.percpu.internal.code.Catalogue} says what each does, free
 * of architecture, {@link dev.percpu.internal.code.Assembler} is what an architecture must know to encode it, and
 * {@link dev.percpu.internal.code.CodeMapping} is the memory they run from.
 */
@NullMarked
package dev.percpu.internal.code;

import org.jspecify.annotations.NullMarked;
