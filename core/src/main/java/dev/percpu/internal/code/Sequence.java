package dev.percpu.internal.code;

/**
 * What each restartable sequence does, free of architecture.
 *
 * <p>All have one shape. Outside the critical section, the thread's {@code rseq_cs} is pointed at the section's
 * descriptor. Inside, the section reads the CPU's id, bounds it, finds the CPU's instance, and ends with <em>one</em>
 * store, its commit. When the kernel preempts, migrates or signals the thread inside, the thread goes on at the abort
 * address, which starts over.
 *
 * <pre>
 *         arm       rseq_cs = descriptor
 * start:  loadCpu   CPU = cpu_id                (a thread without one goes to none)
 *         look      guard word of CPU == 0 ?    (guarded sequences only; else to taken)
 *         load      value = instance
 *         compute   value = value op operand
 *         commit    instance = value
 * end:    return
 * abort:  start over
 * </pre>
 *
 * <p>Why this is exact: between {@code start} and {@code end} the thread is alone on its CPU, or it starts over. So
 * nobody else on this CPU changed the instance between load and commit, and threads on other CPUs do not write this
 * CPU's instance by sequence at all. Everything before the commit only reads, so it may be repeated; after the commit
 * the section is over, so it is not. A section with a second visible store would do that one twice after an abort
 * between the two.
 *
 * <p>A thread that the kernel gives no CPU id (its registration failed, or it was undone) adds atomically to a slot
 * that belongs to no CPU. It cannot use a CPU's slot: an atomic addition on one CPU and a plain load, add, store on
 * another lose each other's updates.
 */
public final class Sequence {
    /** What a guarded sequence returns when it did its work. */
    public static final long DONE = 0;

    /** What a guarded sequence returns when it did nothing, as the guard is taken or the thread has no CPU id. */
    public static final long TAKEN = 1;

    /** What a push returns that found the stack full. */
    public static final long FULL = 2;

    /** What a pop returns that found the stack empty. */
    public static final long EMPTY = -1;

    /** What sequences return that did nothing, as the thread has no CPU id or, of a pop, the guard is taken. */
    public static final long NO_CPU = Long.MIN_VALUE;

    /** The gate of a number lies so far behind the number, in the place of no CPU. */
    public static final long GATE = Long.BYTES;

    private final SequenceLayout layout;
    private final CodeBuffer code;
    private final Assembler assembler;
    private final Section section;

    public Sequence(SequenceLayout layout, CodeBuffer code, Assembler assembler, Instrumentation instrumentation) {
        this.layout = layout;
        this.code = code;
        this.assembler = assembler;
        this.section = new Section(layout, code, assembler, instrumentation);
    }

    /** Emits an operation on a number that no guard protects. Returns the address to call. */
    public long pure(Op op, int bits) {
        var none = new CodeBuffer.Label();
        return section.emit(none, () -> scaleAndUpdate(op, bits), assembler::returnValue, () -> {
            section.updateAtomically(op, bits);
            assembler.returnValue();
        });
    }

    /**
     * Emits an operation on a number that a guard protects: it returns {@link #TAKEN} and does nothing if the guard is
     * taken. It has no result, as that would need a value that no number can have; what needs one takes the guard.
     */
    public long guarded(Op op, int bits) {
        var taken = new CodeBuffer.Label();
        return section.emit(
                taken,
                () -> {
                    section.scaleAndLook(taken);
                    section.update(op, bits);
                },
                () -> section.returning(DONE),
                () -> section.returning(TAKEN));
    }

    /**
     * Emits the acquisition of the current CPU's guard for the owner in the first argument. The owner is stored only if
     * the word is 0, and only threads on this CPU change it from 0, so between look and store it stays 0 unless the
     * section starts over. (A compare-and-set from another CPU can come between too; its author finds out, see
     * {@link dev.percpu.internal.guard.Ownership}.)
     */
    public long acquire() {
        var none = new CodeBuffer.Label();
        var taken = new CodeBuffer.Label();
        return section.emit(
                none,
                () -> {
                    assembler.keepCpu();
                    section.scaleAndLook(taken);
                    assembler.storeWord();
                },
                assembler::returnValue,
                () -> {
                    section.returning(NO_CPU);
                    code.place(taken);
                    assembler.complementValue();
                    assembler.returnValue();
                });
    }

    /**
     * Emits an addition that is done only while the word that the third argument points to is 0: {@link #DONE} or
     * {@link #TAKEN}, or {@link #NO_CPU} and nothing is done. Who sets the word and then restarts the sequences of all
     * CPUs knows that none adds any more.
     */
    public long addIfOpen() {
        var none = new CodeBuffer.Label();
        var closed = new CodeBuffer.Label();
        return section.emit(
                none,
                () -> {
                    section.scaleCpu();
                    assembler.lookAtGate(closed);
                    section.pause();
                    section.update(Op.ADD, Long.SIZE);
                },
                () -> section.returning(DONE),
                () -> {
                    section.returning(NO_CPU);
                    section.returningAt(closed, TAKEN);
                });
    }

    /**
     * Emits an operation on a 64-bit number that is done only while the number's gate is at most the fourth argument:
     * {@link #DONE} or {@link #TAKEN}. A thread without a CPU does nothing. The operations are ADD, whose sum,
     * unsigned, has to be at most the third argument, ADD_DOUBLE, and CMPXCHG, which counts as not done if the number
     * differs.
     *
     * <p>The look and the commit are in one section. So whoever raises the gate, and then restarts the sequences of all
     * CPUs, knows that none goes on that saw it lower.
     */
    public long gated(Op op) {
        var refused = new CodeBuffer.Label();
        return section.emit(
                refused,
                () -> {
                    section.scaleCpu();
                    assembler.lookAtShared(layout.spareDistance() + GATE, refused);
                    section.pause();
                    switch (op) {
                        case ADD -> section.updateWithin(refused);
                        case CMPXCHG -> {
                            assembler.load(Long.SIZE);
                            section.pause();
                            assembler.compareExpected(Long.SIZE, refused);
                            section.pause();
                            assembler.store(Long.SIZE, Assembler.Source.OPERAND);
                        }
                        case ADD_DOUBLE, READ, AND, OR, XCHG -> section.update(op, Long.SIZE);
                    }
                },
                () -> section.returning(DONE),
                () -> section.returning(TAKEN));
    }

    /**
     * Emits two additions in one call, of the second argument at the first and of the fourth at the third. They are two
     * sections, one after the other, each exact by itself; between the two the thread may be moved.
     */
    public long addTwo() {
        var second = new CodeBuffer.Label();
        Runnable next = () -> {
            assembler.nextSlot();
            assembler.jump(second);
        };
        var none = new CodeBuffer.Label();
        long entry = section.emit(none, () -> scaleAndUpdate(Op.ADD, Long.SIZE), next, () -> {
            section.updateAtomically(Op.ADD, Long.SIZE);
            next.run();
        });
        var noneAgain = new CodeBuffer.Label();
        section.emit(second, noneAgain, () -> scaleAndUpdate(Op.ADD, Long.SIZE), assembler::returnValue, () -> {
            section.updateAtomically(Op.ADD, Long.SIZE);
            assembler.returnValue();
        });
        return entry;
    }

    /**
     * Emits the addition of an item, the second argument, to the current CPU's stack, which holds as many as the third
     * argument says: {@link #DONE}, {@link #FULL}, or {@link #TAKEN} if the guard is taken or there is no CPU.
     */
    public long push() {
        var taken = new CodeBuffer.Label();
        var full = new CodeBuffer.Label();
        return section.emit(
                taken,
                () -> {
                    section.scaleAndLook(taken);
                    assembler.load(Long.SIZE);
                    section.pause();
                    assembler.pushItem(full);
                    section.pause();
                    assembler.store(Long.SIZE, Assembler.Source.VALUE);
                },
                () -> section.returning(DONE),
                () -> {
                    section.returning(TAKEN);
                    section.returningAt(full, FULL);
                });
    }

    /** Emits the removal of an item, which is not negative: the item, {@link #EMPTY}, or {@link #NO_CPU} as for push. */
    public long pop() {
        var taken = new CodeBuffer.Label();
        var empty = new CodeBuffer.Label();
        return section.emit(
                taken,
                () -> {
                    section.scaleAndLook(taken);
                    assembler.load(Long.SIZE);
                    section.pause();
                    assembler.popItem(empty);
                    section.pause();
                    assembler.store(Long.SIZE, Assembler.Source.VALUE);
                },
                assembler::returnItem,
                () -> {
                    section.returning(NO_CPU);
                    section.returningAt(empty, EMPTY);
                });
    }

    /** Emits a plain read of the thread's CPU id, no sequence: negative on a thread without one. */
    public long currentCpu() {
        return section.plain(() -> {
            assembler.loadCpu(layout.rseqOffset());
            assembler.keepCpu();
            assembler.returnValue();
        });
    }

    private void scaleAndUpdate(Op op, int bits) {
        section.scaleCpu();
        section.update(op, bits);
    }
}
