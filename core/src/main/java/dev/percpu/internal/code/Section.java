package dev.percpu.internal.code;

/**
 * The shape that all sequences have, and the steps that several of them share. Between the steps it inserts the delays
 * that tests and the deep self-test ask for.
 */
public final class Section {
    private static final int DESCRIPTOR_ALIGNMENT = 32;

    private final SequenceLayout layout;
    private final CodeBuffer code;
    private final Assembler assembler;
    private final Instrumentation instrumentation;

    Section(SequenceLayout layout, CodeBuffer code, Assembler assembler, Instrumentation instrumentation) {
        this.layout = layout;
        this.code = code;
        this.assembler = assembler;
        this.instrumentation = instrumentation;
    }

    Assembler assembler() {
        return assembler;
    }

    CodeBuffer code() {
        return code;
    }

    SequenceLayout layout() {
        return layout;
    }

    /**
     * @param none where a thread without a CPU id goes; placed here, before {@code elsewhere}
     * @param inside the part that ends with the commit
     * @param after what follows the commit, outside the section
     * @param elsewhere code outside the section that is reached only by a jump from the section
     */
    long emit(CodeBuffer.Label none, Runnable inside, Runnable after, Runnable elsewhere) {
        return emit(new CodeBuffer.Label(), none, inside, after, elsewhere);
    }

    /** @param entry a label for the address to call, if another section jumps to it */
    long emit(CodeBuffer.Label entry, CodeBuffer.Label none, Runnable inside, Runnable after, Runnable elsewhere) {
        var descriptor = new CodeBuffer.Label();
        var start = new CodeBuffer.Label();
        var end = new CodeBuffer.Label();
        var abort = new CodeBuffer.Label();

        code.align(DESCRIPTOR_ALIGNMENT);
        code.place(descriptor);
        code.int32(0); // version
        code.int32(0); // flags
        code.address(start);
        code.distance(start, end);
        code.address(abort);

        code.place(entry);
        if (instrumentation.armed()) {
            assembler.arm(layout.rseqOffset(), descriptor);
        }
        code.place(start);
        assembler.loadCpu(layout.rseqOffset());
        pause();
        assembler.boundCpu(layout.cpus(), none);
        pause();
        inside.run();
        code.place(end);
        after.run();

        code.place(none);
        elsewhere.run();

        // The kernel refuses an abort address without the signature before it. The address is outside the section, so
        // that a second abort on the way back finds no section to abort.
        assembler.signature();
        code.place(abort);
        if (instrumentation.abortCounter() != 0) {
            assembler.count(instrumentation.abortCounter());
        }
        assembler.jump(entry);
        return code.addressOf(entry);
    }

    /** Emits a function without a section. Returns the address to call. */
    long plain(Runnable body) {
        var entry = new CodeBuffer.Label();
        code.align(DESCRIPTOR_ALIGNMENT);
        code.place(entry);
        body.run();
        return code.addressOf(entry);
    }

    void scaleCpu() {
        assembler.scaleCpu(layout.shift());
        pause();
    }

    void scaleAndLook(CodeBuffer.Label taken) {
        scaleCpu();
        assembler.lookAtWord(layout.guardWord(), taken);
        pause();
    }

    void lookAtGate(CodeBuffer.Label shut) {
        assembler.lookAtGate(layout.spareDistance() + Catalogue.GATE, shut);
        pause();
    }

    /** Updates the CPU's own instance: load, compute, and the commit. */
    void update(Op op, int bits) {
        if (op == Op.READ) {
            assembler.load(bits);
            return;
        }
        var differs = new CodeBuffer.Label();
        updateOrLeave(op, bits, differs);
        code.place(differs);
    }

    /**
     * Like the method above, for an operation that stores.
     *
     * @param differs where {@link Op#CMPXCHG} goes if the instance is not what it expects, and {@link Op#MAX} if the
     *     operand is not greater
     */
    void updateOrLeave(Op op, int bits, CodeBuffer.Label differs) {
        assembler.load(bits);
        pause();
        compute(op, bits, differs);
        pause();
        assembler.store(bits, source(op));
    }

    /** Updates the CPU's own instance, unless the sum would be above the third argument. */
    void updateWithin(CodeBuffer.Label above) {
        assembler.load(Long.SIZE);
        pause();
        assembler.compute(Op.ADD);
        pause();
        assembler.compareAtMost(above);
        pause();
        assembler.store(Long.SIZE, Assembler.Source.VALUE);
    }

    /** Updates the spare slot, which several threads may update at the same time. */
    void updateAtomically(Op op, int bits) {
        assembler.setCpu(layout.spareDistance());
        var retry = new CodeBuffer.Label();
        code.place(retry);
        assembler.loadLinked(bits);
        if (op == Op.READ) {
            return;
        }
        var differs = new CodeBuffer.Label();
        compute(op, bits, differs);
        assembler.storeConditional(bits, source(op), retry);
        code.place(differs);
    }

    private void compute(Op op, int bits, CodeBuffer.Label differs) {
        if (op == Op.CMPXCHG) {
            assembler.compareExpected(bits, differs);
        } else if (op == Op.MAX) {
            assembler.compareBelowOperand(differs);
        } else if (op.computes()) {
            assembler.compute(op);
        }
    }

    private static Assembler.Source source(Op op) {
        return op.computes() ? Assembler.Source.VALUE : Assembler.Source.OPERAND;
    }

    /** Places the label, and returns a constant there. */
    void returningAt(CodeBuffer.Label label, long constant) {
        code.place(label);
        returning(constant);
    }

    void returning(long constant) {
        assembler.setValue(constant);
        assembler.returnValue();
    }

    void pause() {
        if (instrumentation.delayRounds() != 0) {
            assembler.delay(instrumentation.delayRounds());
        }
    }
}
