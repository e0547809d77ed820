/**
 * Per-CPU variables. Start at {@link dev.percpu.concurrent.PerCpuCounter} to count, at {@link dev.percpu.PerCpuNumeric}
 * if you need another width, bit operations or the number of one CPU, and at {@link dev.percpu.StaticPerCpu} and {@link
 * dev.percpu.CpuGuard} for data that takes more than one instruction to change.
 *
 * <h2>Words</h2>
 *
 * <ul>
 *   <li><em>Restartable sequence:</em> a few instructions that a thread starts again if the kernel interrupts it in the
 *       middle of them, or moves it to another CPU.
 *   <li><em>Back end:</em> how this process updates its variables: {@code rseq} by restartable sequences, {@code
 *       atomic} by atomic instructions. The library chooses once: see {@link dev.percpu.PerCpuRuntime#backend()}.
 *   <li><em>Possible CPU:</em> a CPU that the machine has or can ever have. A variable has an instance for each.
 *   <li><em>Per-CPU area:</em> the memory outside the heap where these instances lie, in one <em>place</em> for each
 *       CPU. Its size is limited.
 *   <li><em>Spare place:</em> one more place, for threads to which the kernel gives no CPU id. The number that
 *       lies there is a variable's <em>spare slot</em>. Sums include it.
 *   <li><em>Hot:</em> a platform thread is hot if it updates all the time. It gets a <em>place of its own</em>: there
 *       it updates without a native call, and no other thread does. The update with which it tries to get one
 *       allocates a small object, and may wait for a thread that allocates or frees variables. Virtual threads get no
 *       such place. The system property {@code percpu.places} says how many threads can have one.
 * </ul>
 *
 * <h2>Memory ordering</h2>
 *
 * <p>The documentation uses the words of {@link java.lang.invoke.VarHandle}. In short:
 *
 * <ul>
 *   <li>An update of a per-CPU number is one step: no other update of the same instance can come in the middle of it,
 *       whatever the scheduler does. It is <em>opaque</em>: it is never torn, other threads see it eventually, and it
 *       orders no other memory access. A program that publishes data through it needs its own fence.
 *   <li>Reads of other CPUs' instances, and so sums, are opaque. A sum over a number that is being updated is not an
 *       atomic snapshot: it holds every update that happened before the call, and some of those that happen during it.
 *   <li>Acquiring a {@link dev.percpu.CpuGuard} is a <em>load-acquire</em> and closing it a <em>store-release</em> of
 *       the CPU's guard word: everything that one owner did happens before everything that the next owner of
 *       that CPU does.
 * </ul>
 *
 * <h2>Names of variables</h2>
 *
 * <p>A variable or structure can have a name, for messages and listings. Each method and constructor that takes a name
 * throws {@link NullPointerException} if the name is null, and {@link IllegalArgumentException} if it is blank. For
 * something without a name, use the method or constructor that takes none. Static variables always have a name. A
 * variable of C code has its name there.
 *
 * <h2>Names in the API</h2>
 *
 * <p>The ideas and the names come from the Linux kernel's per-CPU variables and the Rust API for them.
 */
@NullMarked
package dev.percpu;

import org.jspecify.annotations.NullMarked;
