package dev.percpu.internal.code;

import dev.percpu.internal.linux.Architecture;

/**
 * What is specific to one architecture: how each step of a {@link Sequence} is encoded. The bytes go into a {@link
 * CodeBuffer}, which also provides the labels.
 *
 * <p>A sequence is called as {@code long f(long slot, long operand, long third, long fourth)} by the platform's C
 * convention, where {@code slot} is the address of CPU 0's instance. (An event's sequence is called with a table: see
 * {@link #keepValues}.) It uses these values, which the architecture keeps in registers of its choice: the arguments,
 * the <em>CPU</em> (first its id, after {@link #scaleCpu} the distance of its memory from CPU 0's), and the
 * <em>value</em>, which {@link #load} fills.
 */
public interface Assembler {
    /** Which register a store writes to memory. */
    enum Source {
        VALUE,
        OPERAND
    }

    /** Whether there is an assembler for the architecture. */
    static boolean exists(Architecture architecture) {
        return architecture != Architecture.OTHER;
    }

    /** The assembler for an architecture for which {@link #exists} returns true. */
    static Assembler of(Architecture architecture, CodeBuffer code) {
        return switch (architecture) {
            case X86_64 -> new X86_64Assembler(code);
            case AARCH64 -> new AArch64Assembler(code);
            case OTHER -> throw new IllegalArgumentException("no sequences are written for this architecture");
        };
    }

    /** The four bytes that the C library told the kernel to expect before each abort address. */
    void signature();

    /** Stores the descriptor's address in the thread's {@code rseq_cs}, where the kernel reads it. */
    void arm(long rseqOffset, CodeBuffer.Label descriptor);

    /**
     * CPU = the thread's {@code cpu_id}. On a thread without a CPU id it is negative, which is a huge unsigned number.
     */
    void loadCpu(long rseqOffset);

    /** Goes to {@code none} unless CPU, unsigned, is below {@code bound}. */
    void boundCpu(int bound, CodeBuffer.Label none);

    /** CPU = CPU * 2^shift. */
    void scaleCpu(int shift);

    /** CPU = distance. */
    void setCpu(long distance);

    /** Goes to {@code taken} unless the 64-bit word at {@code word} + CPU is 0. A load-acquire. */
    void lookAtWord(long word, CodeBuffer.Label taken);

    /** Goes to {@code shut} unless the 64-bit word at slot + distance is 0. A load-acquire. */
    void lookAtGate(long distance, CodeBuffer.Label shut);

    /**
     * Goes to {@code above} unless the 64-bit word at slot + distance is at most the fourth argument. A load-acquire.
     */
    void lookAtLimit(long distance, CodeBuffer.Label above);

    /** value = the instance at slot + CPU, zero-extended. */
    void load(int bits);

    /** value = value op operand. */
    void compute(Op op);

    /** The 64-bit instance at slot + CPU, plus operand, is stored there; the value is lost. The store comes last. */
    void addToMemory();

    /** Goes to {@code differs} unless value equals the third argument in the lowest {@code bits}. */
    void compareExpected(int bits, CodeBuffer.Label differs);

    /** The instance at slot + CPU = the source: one instruction. */
    void store(int bits, Source source);

    /** The word that {@link #lookAtWord} checked = the first argument: one instruction. */
    void storeWord();

    /** Like {@link #load}; a {@link #storeConditional} follows. */
    void loadLinked(int bits);

    /**
     * The instance = the source, atomically. Goes to {@code retry} if the instance is no longer what {@link
     * #loadLinked} found, or spuriously. The two together acquire and release, but are no full barrier.
     */
    void storeConditional(int bits, Source source, CodeBuffer.Label retry);

    /** Goes to {@code above} unless value, unsigned, is at most the third argument. */
    void compareAtMost(CodeBuffer.Label above);

    /** Goes to {@code notBelow} unless value, unsigned, is below the operand. */
    void compareBelowOperand(CodeBuffer.Label notBelow);

    /** slot = the third argument, operand = the fourth. */
    void nextSlot();

    /**
     * Begins a call whose first argument is the address of a table, and whose further arguments are values, which are
     * numbered from 0 on. They stay available: the other steps of {@link EventShape} do not change them.
     *
     * @param values how many values the call passes
     */
    void keepValues(int values);

    /** slot = a word of the table. */
    void loadSlot(int word);

    /** slot = slot + 8 * a value. */
    void addToSlot(int value);

    /** operand = a word of the table. */
    void loadOperand(int word);

    /** operand = a value. */
    void setOperand(int value);

    /** operand = operand ^ a word of the table. */
    void xorOperand(int word);

    /**
     * Goes to {@code full} unless value, the count of a stack at slot + CPU, is below the third argument; value is one
     * more; the operand is stored as the stack's topmost item. No thread reads that item before the count includes it,
     * so the store may be repeated.
     */
    void pushItem(CodeBuffer.Label full);

    /**
     * Goes to {@code empty} if value is 0; the stack's topmost item is kept for {@link #returnItem}; value is one less.
     */
    void popItem(CodeBuffer.Label empty);

    /** Returns the item that {@link #popItem} kept. */
    void returnItem();

    /** value = the stack pointer. */
    void keepStackPointer();

    /** value = CPU; comes before {@link #scaleCpu}. */
    void keepCpu();

    /** value = ~value. */
    void complementValue();

    /** Returns value. */
    void returnValue();

    /** Returns a constant. */
    void returnConstant(long constant);

    /** Goes to the label. */
    void jump(CodeBuffer.Label target);

    /** Burns {@code rounds} rounds of an empty loop; touches no register of the sequence. */
    void delay(int rounds);

    /** Atomically adds 1 to the 64-bit number at {@code address}; touches no register of the sequence. */
    void count(long address);
}
