/**
 * The building blocks of the structures. A protocol is one small interface, whose file has its implementations side by
 * side: one that calls restartable sequences, and at least one for the atomic back end. {@code CURRENT} is the one in
 * use. The classes beside the interfaces are the same on both back ends. Most are made of protocols: gates, tallies,
 * and sums that a reset takes. Stripes, and an event's updates in an own place, need no sequences.
 *
 * <p>A position is the offset of a variable within each CPU's place. Callers keep the object that owns the position
 * reachable until the call returns, since the position may be given to another variable afterwards. A method to which
 * the object is passed does that itself.
 *
 * <p>The halves are records because the JIT compiler trusts the fields of records. If the record is in a constant,
 * calling a handle in it is a call of a fixed address.
 */
@NullMarked
package dev.percpu.internal.protocol;

import org.jspecify.annotations.NullMarked;
