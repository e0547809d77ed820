package dev.percpu.internal.code;

/**
 * The shape that all sections have, and the steps that several of them share. Between the steps it inserts the delays
 * that tests and the deep self-test ask for. An object stands for one section.
 *
 * <pre>
 *   describe     the descriptor
 *   enter        the section's first steps
 *   steps, of which the last one is the commit
 *   committed
 *   what follows the commit
 *   elsewhere
 *   what the section jumps to
 *   finish       the abort address
 * </pre>
 *
 * <p>A sequence of several sections has all descriptors first, then the sections one behind the other, and last what
 * each jumps to. So what usually runs has no jump.
 */
public final class Section {
    private static final int DESCRIPTOR_ALIGNMENT = 32;

    private final SequenceLayout layout;
    private final CodeBuffer code;
    private final Assembler assembler;
    private final Instrumentation instrumentation;

    private final CodeBuffer.Label descriptor = new CodeBuffer.Label();
    private final CodeBuffer.Label entry = new CodeBuffer.Label();
    private final CodeBuffer.Label start = new CodeBuffer.Label();
    private final CodeBuffer.Label end = new CodeBuffer.Label();
    private final CodeBuffer.Label abort = new CodeBuffer.Label();

    /** Where a thread without a CPU id goes. */
    private CodeBuffer.Label none = new CodeBuffer.Label();

    Section(SequenceLayout layout, CodeBuffer code, Assembler assembler, Instrumentation instrumentation) {
        this.layout = layout;
        this.code = code;
        this.assembler = assembler;
        this.instrumentation = instrumentation;
    }

    /** One more section of the same sequence. */
    Section another() {
        return new Section(layout, code, assembler, instrumentation);
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
     * Emits the descriptor, and the section up to the check of the CPU's id.
     *
     * @param none where a thread without a CPU id goes
     */
    void begin(CodeBuffer.Label none) {
        describe();
        enter(none);
    }

    /** Emits the descriptor. */
    void describe() {
        code.align(DESCRIPTOR_ALIGNMENT);
        code.place(descriptor);
        code.int32(0); // version
        code.int32(0); // flags
        code.address(start);
        code.distance(start, end);
        code.address(abort);
    }

    /**
     * Emits the section up to the check of the CPU's id.
     *
     * @param none where a thread without a CPU id goes
     */
    void enter(CodeBuffer.Label none) {
        this.none = none;
        code.place(entry);
        if (instrumentation.armed()) {
            assembler.arm(layout.rseqOffset(), descriptor);
        }
        code.place(start);
        assembler.loadCpu(layout.rseqOffset());
        pause();
        assembler.boundCpu(layout.cpus(), none);
        pause();
    }

    /** Ends the section behind its commit. What follows is outside it. */
    void committed() {
        code.place(end);
    }

    /** Begins what is reached only by a jump from the section: for a thread without a CPU id, among others. */
    void elsewhere() {
        code.place(none);
    }

    /** Emits where the kernel sends a thread that it takes out of the section. Returns the address to call. */
    long finish() {
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

    /** Begins a function without a section. Returns the address to call. */
    long beginPlain() {
        code.align(DESCRIPTOR_ALIGNMENT);
        code.place(entry);
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
        assembler.lookAtGate(layout.gateDistance(), shut);
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

    /**
     * Updates the CPU's own 64-bit instance and has no result. An addition takes one instruction where the architecture
     * has one for that: the kernel interrupts a thread before or after an instruction.
     */
    void updateOnly(Op op) {
        if (op == Op.ADD) {
            assembler.addToMemory();
        } else {
            update(op, Long.SIZE);
        }
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

    void returning(long constant) {
        assembler.returnConstant(constant);
    }

    void pause() {
        if (instrumentation.delayRounds() != 0) {
            assembler.delay(instrumentation.delayRounds());
        }
    }
}
