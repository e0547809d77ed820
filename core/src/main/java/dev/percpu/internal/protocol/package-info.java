/**
 * What the structures are made of: each protocol is one small interface, with the half that calls restartable sequences
 * and the half that uses atomic instructions beside each other in its file. {@code CURRENT} is the half that runs here.
 *
 * <p>A position is a variable's place within each CPU's part of the area. Callers keep the object that holds the
 * position reachable until the call returns, since the position may be given to another variable afterwards.
 *
 * <p>The halves are records because the JIT compiler trusts the fields of records: with the record in a constant, a
 * handle in it is a call of a fixed address.
 */
@NullMarked
package dev.percpu.internal.protocol;

import org.jspecify.annotations.NullMarked;
