/**
 * The building blocks of the structures. Each protocol is one small interface. Its file has both halves side by side:
 * the one that calls restartable sequences, and the one that uses atomic instructions. {@code CURRENT} is the half
 * in use.
 *
 * <p>A position is the offset of a variable within each CPU's place. Callers keep the object that owns the position
 * reachable until the call returns, since the position may be given to another variable afterwards.
 *
 * <p>The halves are records because the JIT compiler trusts the fields of records. If the record is in a constant,
 * calling a handle in it is a call of a fixed address.
 */
@NullMarked
package dev.percpu.internal.protocol;

import org.jspecify.annotations.NullMarked;
