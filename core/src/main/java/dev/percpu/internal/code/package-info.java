/**
 * The machine code of the restartable sequences. {@link dev.percpu.internal.code.Catalogue} says what each does,
 * independent of the architecture. {@link dev.percpu.internal.code.Assembler} is what an architecture has to provide to
 * encode it. {@link dev.percpu.internal.code.CodeMapping} is the memory that the sequences run from.
 */
@NullMarked
package dev.percpu.internal.code;

import org.jspecify.annotations.NullMarked;
