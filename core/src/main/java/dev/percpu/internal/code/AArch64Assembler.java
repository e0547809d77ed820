package dev.percpu.internal.code;

import dev.percpu.internal.linux.RseqRegistration;
import java.nio.ByteBuffer;

/**
 * AArch64 with the platform's C convention: slot in x0, operand in x1, the third argument in x2, the fourth in x3; CPU
 * in x9, value in x10, an address in x11, a scratch value in x12, a stack's item in x13. In a call with a table, x6 has
 * the table, and x7 and x2 to x5 have the values. Only the instrumentation uses x14 to x16. The comment beside each
 * instruction is what a disassembler shows.
 *
 * <p>The instructions are those of ARMv8.0.
 *
 * <p>This file is longer than others: each step of a sequence is a method, and they share the registers.
 */
final class AArch64Assembler implements Assembler {
    /*
     * Unlike x86-64, this architecture lets other threads see a plain load or store before an earlier one to another
     * address. So this says which accesses have to acquire or release, and which may be plain:
     *
     * The checks (of guard word or gate) are load-acquires. The thread that opens the word stores the 0 with release.
     * Before that, it wrote what the section, and the caller after it, is about to read:
     *
     *   thread R                                    thread U on CPU 1
     *   1. CPU 1's number = 0
     *   2. release: gate = 0
     *                                               3. look: the gate is 0
     *                                               4. load: the number
     *
     * If 3 were a plain load, 4 could be done before it, and find the value that the number had before 1.
     *
     * The commits are plain stores, also that of a guard's acquisition. So another thread can see what this thread does
     * next before it sees the commit. Could that do any harm?
     *
     * - To a thread on the same CPU: no. A processor sees its own stores in program order, and the kernel executes a
     *   full barrier when it switches from one thread to another.
     * - To a thread elsewhere that does not involve the kernel: no. Either it only computes a sum, which is ordered
     *   with nothing, or it has synchronized with this thread by a release of this thread that follows the commit.
     * - To a thread elsewhere that wants what the check protects: no. It writes the word and calls membarrier, whose
     *   interrupt is a full barrier in the middle of this thread's program. If the commit comes before that, the caller
     *   sees the commit and everything before it. If not, the section starts over and finds the word written.
     *
     *   thread L on the CPU                         thread R elsewhere
     *   1. look: 0
     *   2. commit: L; it is on its way to memory
     *   3. writes L's data, which R could see
     *                                               4. compare-and-set: 0 to R works, as 2 is not visible
     *                                               5. membarrier: 2 is visible
     *                                               6. the word is L: R has touched nothing
     *
     * The spare place is updated with load-acquire and store-release exclusives. A thread that reads a sum there with
     * acquire sees everything that a thread which took the sum away had seen before, whichever updates came between. An
     * update there is no full barrier, as it happens to be on x86-64, and no code relies on one.
     */
    private static final int SIGNATURE = 0xd428bc00;

    private static final int SLOT = 0;
    private static final int OPERAND = 1;
    private static final int THIRD = 2;
    private static final int FOURTH = 3;
    private static final int TABLE = 6;
    private static final int FIRST_VALUE = 7;
    private static final int CPU = 9;
    private static final int VALUE = 10;
    private static final int ADDRESS = 11;
    private static final int SCRATCH = 12;
    private static final int ITEM = 13;
    private static final int ROUNDS = 14;
    private static final int COUNTER = 14;
    private static final int COUNT = 15;
    private static final int STATUS = 16;

    private static final int NOT_EQUAL = 1;
    private static final int UNSIGNED_AT_LEAST = 2;
    private static final int UNSIGNED_ABOVE = 8;
    private static final int ABOVE = 12;

    /** Makes an index count numbers of 8 bytes. */
    private static final int TIMES_8 = 1 << 12;

    private final CodeBuffer code;

    AArch64Assembler(CodeBuffer code) {
        this.code = code;
    }

    @Override
    public void signature() {
        code.int32(SIGNATURE);
    }

    @Override
    public void arm(long rseqOffset, CodeBuffer.Label descriptor) {
        code.use(descriptor, Integer.BYTES, new DescriptorAddress()); // adr x11, descriptor
        threadPointer(SCRATCH);
        constant(ITEM, rseqOffset + RseqRegistration.RSEQ_CS); // mov x13,#rseq_cs
        code.int32(0xf820_6800 | memory(SCRATCH, ITEM) | ADDRESS); // str x11, [x12, x13]
    }

    @Override
    public void loadCpu(long rseqOffset) {
        threadPointer(SCRATCH);
        constant(ADDRESS, rseqOffset + RseqRegistration.CPU_ID); // mov x11,#cpu_id
        code.int32(0xb860_6800 | memory(SCRATCH, ADDRESS) | CPU); // ldr w9, [x12, x11]
    }

    @Override
    public void boundCpu(int bound, CodeBuffer.Label none) {
        constant(ADDRESS, bound); // mov x11,#bound
        compare(CPU, ADDRESS); // cmp x9, x11: the load has cleared the upper half
        branchIf(UNSIGNED_AT_LEAST, none); // b.cs none
    }

    @Override
    public void scaleCpu(int shift) {
        int rotation = (Long.SIZE - shift) % Long.SIZE;
        code.int32(0xd340_0000 | rotation << 16 | (Long.SIZE - 1 - shift) << 10 | CPU << 5 | CPU); // lsl x9, x9, #shift
    }

    @Override
    public void setCpu(long distance) {
        constant(CPU, distance); // mov x9,#distance
    }

    @Override
    public void lookAtWord(long word, CodeBuffer.Label taken) {
        constant(ADDRESS, word); // mov x11,#word
        add(ADDRESS, ADDRESS, CPU); // add x11, x11, x9
        loadAcquire(SCRATCH, ADDRESS); // ldar x12, [x11]
        branchUnlessZero(SCRATCH, taken); // cbnz x12, taken
    }

    @Override
    public void lookAtGate(long distance, CodeBuffer.Label shut) {
        loadGate(distance);
        branchUnlessZero(SCRATCH, shut); // cbnz x12, shut
    }

    @Override
    public void lookAtLimit(long distance, CodeBuffer.Label above) {
        loadGate(distance);
        compare(SCRATCH, FOURTH); // cmp x12, x3
        branchIf(ABOVE, above); // b.gt above
    }

    private void loadGate(long distance) {
        constant(ADDRESS, distance); // mov x11,#distance
        add(ADDRESS, ADDRESS, SLOT); // add x11, x11, x0
        loadAcquire(SCRATCH, ADDRESS); // ldar x12, [x11]
    }

    @Override
    public void load(int bits) {
        code.int32(size(bits) | 0x3860_6800 | memory(SLOT, CPU) | VALUE); // ldrb, ldrh or ldr w10, ldr x10, [x0, x9]
    }

    @Override
    public void compute(Op op) {
        switch (op) {
            case ADD -> add(VALUE, VALUE, OPERAND); // add x10, x10, x1
            case AND -> code.int32(0x8a00_0000 | OPERAND << 16 | VALUE << 5 | VALUE); // and x10, x10, x1
            case OR -> code.int32(0xaa00_0000 | OPERAND << 16 | VALUE << 5 | VALUE); // orr x10, x10, x1
            case ADD_DOUBLE -> {
                code.int32(0x9e67_0000 | VALUE << 5); // fmov d0, x10
                code.int32(0x9e67_0001 | OPERAND << 5); // fmov d1, x1
                code.int32(0x1e61_2800); // fadd d0, d0, d1
                code.int32(0x9e66_0000 | VALUE); // fmov x10, d0
            }
            case READ, MAX, XCHG, CMPXCHG -> throw new IllegalArgumentException(op + " computes nothing");
        }
    }

    @Override
    public void addToMemory() {
        load(Long.SIZE);
        compute(Op.ADD);
        store(Long.SIZE, Source.VALUE);
    }

    @Override
    public void compareExpected(int bits, CodeBuffer.Label differs) {
        // The load has cleared the bits above the value's width. In the argument they are whatever the caller passed.
        int registers = THIRD << 16 | VALUE << 5;
        code.int32(registers
                | switch (bits) {
                    case 8 -> 0x6b20_001f; // cmp w10, w2, uxtb
                    case 16 -> 0x6b20_201f; // cmp w10, w2, uxth
                    case 32 -> 0x6b00_001f; // cmp w10, w2
                    case 64 -> 0xeb00_001f; // cmp x10, x2
                    default -> throw width(bits);
                });
        branchIf(NOT_EQUAL, differs); // b.ne differs
    }

    @Override
    public void store(int bits, Source source) {
        // strb, strh or str w10 or w1, str x10 or x1, [x0, x9]
        code.int32(size(bits) | 0x3820_6800 | memory(SLOT, CPU) | register(source));
    }

    @Override
    public void storeWord() {
        // x11 holds the word's address since lookAtWord.
        code.int32(0xf900_0000 | ADDRESS << 5 | SLOT); // str x0, [x11]
    }

    @Override
    public void loadLinked(int bits) {
        add(ADDRESS, SLOT, CPU); // add x11, x0, x9
        code.int32(size(bits) | 0x085f_fc00 | ADDRESS << 5 | VALUE); // ldaxrb, ldaxrh or ldaxr w10, ldaxr x10, [x11]
    }

    @Override
    public void storeConditional(int bits, Source source, CodeBuffer.Label retry) {
        // stlxrb, stlxrh or stlxr w12, w10 or w1, stlxr w12, x10 or x1, [x11]
        code.int32(size(bits) | 0x0800_fc00 | SCRATCH << 16 | ADDRESS << 5 | register(source));
        branch(retry, 0x3500_0000 | SCRATCH, 19, 5); // cbnz w12, retry
    }

    @Override
    public void compareAtMost(CodeBuffer.Label above) {
        compare(VALUE, THIRD); // cmp x10, x2
        branchIf(UNSIGNED_ABOVE, above); // b.hi above
    }

    @Override
    public void compareBelowOperand(CodeBuffer.Label notBelow) {
        compare(VALUE, OPERAND); // cmp x10, x1
        branchIf(UNSIGNED_AT_LEAST, notBelow); // b.cs notBelow
    }

    @Override
    public void keepValues(int values) {
        move(TABLE, SLOT); // mov x6, x0
        move(FIRST_VALUE, OPERAND); // mov x7, x1
    }

    @Override
    public void loadSlot(int word) {
        loadWord(SLOT, word); // ldr x0, [x6, #word]
    }

    @Override
    public void addToSlot(int value) {
        // add x0, x0, x7 or x2 to x5, lsl #3
        code.int32(0x8b00_0c00 | value(value) << 16 | SLOT << 5 | SLOT);
    }

    @Override
    public void loadOperand(int word) {
        loadWord(OPERAND, word); // ldr x1, [x6, #word]
    }

    @Override
    public void setOperand(int value) {
        move(OPERAND, value(value)); // mov x1, x7 or x2 to x5
    }

    @Override
    public void xorOperand(int word) {
        loadWord(SCRATCH, word); // ldr x12, [x6, #word]
        code.int32(0xca00_0000 | SCRATCH << 16 | OPERAND << 5 | OPERAND); // eor x1, x1, x12
    }

    private void loadWord(int target, int word) {
        code.int32(0xf940_0000 | word << 10 | TABLE << 5 | target);
    }

    private static int value(int number) {
        return number == 0 ? FIRST_VALUE : OPERAND + number;
    }

    @Override
    public void nextSlot() {
        move(SLOT, THIRD); // mov x0, x2
        move(OPERAND, FOURTH); // mov x1, x3
    }

    @Override
    public void pushItem(CodeBuffer.Label full) {
        compare(VALUE, THIRD); // cmp x10, x2
        branchIf(UNSIGNED_AT_LEAST, full); // b.cs full
        code.int32(0x9100_0400 | VALUE << 5 | VALUE); // add x10, x10, #1
        add(ADDRESS, SLOT, CPU); // add x11, x0, x9
        code.int32(0xf820_6800 | TIMES_8 | memory(ADDRESS, VALUE) | OPERAND); // str x1, [x11, x10, lsl #3]
    }

    @Override
    public void popItem(CodeBuffer.Label empty) {
        branch(empty, 0xb400_0000 | VALUE, 19, 5); // cbz x10, empty
        add(ADDRESS, SLOT, CPU); // add x11, x0, x9
        code.int32(0xf860_6800 | TIMES_8 | memory(ADDRESS, VALUE) | ITEM); // ldr x13, [x11, x10, lsl #3]
        code.int32(0xd100_0400 | VALUE << 5 | VALUE); // sub x10, x10, #1
    }

    @Override
    public void returnItem() {
        move(SLOT, ITEM); // mov x0, x13
        ret();
    }

    @Override
    public void keepStackPointer() {
        code.int32(0x9100_03e0 | VALUE); // mov x10, sp
    }

    @Override
    public void keepCpu() {
        move(VALUE, CPU); // mov x10, x9
    }

    @Override
    public void complementValue() {
        code.int32(0xaa20_03e0 | VALUE << 16 | VALUE); // mvn x10, x10
    }

    @Override
    public void returnValue() {
        move(SLOT, VALUE); // mov x0, x10
        ret();
    }

    @Override
    public void returnConstant(long constant) {
        constant(SLOT, constant); // mov x0,#constant
        ret();
    }

    @Override
    public void jump(CodeBuffer.Label target) {
        branch(target, 0x1400_0000, 26, 0); // b target
    }

    @Override
    public void delay(int rounds) {
        constant(ROUNDS, rounds); // mov x14,#rounds
        code.int32(0xd100_0400 | ROUNDS << 5 | ROUNDS); // sub x14, x14, #1
        code.int32(0xb500_0000 | field(-1, 19, 5) | ROUNDS); // cbnz x14, the instruction before
    }

    @Override
    public void count(long address) {
        constant(COUNTER, address); // mov x14,#address
        code.int32(0xc85f_7c00 | COUNTER << 5 | COUNT); // ldxr x15, [x14]
        code.int32(0x9100_0400 | COUNT << 5 | COUNT); // add x15, x15, #1
        code.int32(0xc800_7c00 | STATUS << 16 | COUNTER << 5 | COUNT); // stxr w16, x15, [x14]
        code.int32(0x3500_0000 | field(-3, 19, 5) | STATUS); // cbnz w16, the load
    }

    private void threadPointer(int register) {
        code.int32(0xd53b_d040 | register); // mrs register, tpidr_el0
    }

    private void add(int target, int left, int right) {
        code.int32(0x8b00_0000 | right << 16 | left << 5 | target);
    }

    private void move(int target, int source) {
        code.int32(0xaa00_03e0 | source << 16 | target);
    }

    private void loadAcquire(int target, int address) {
        code.int32(0xc8df_fc00 | address << 5 | target);
    }

    private void compare(int left, int right) {
        code.int32(0xeb00_001f | right << 16 | left << 5);
    }

    private void ret() {
        code.int32(0xd65f_03c0);
    }

    /** Sets a register in up to four instructions. The first sets as many of the constant's four parts as possible. */
    private void constant(int register, long value) {
        boolean ones = parts(value, 0xffff) > parts(value, 0);
        int rest = ones ? 0xffff : 0;
        int first = Long.numberOfTrailingZeros(value ^ (ones ? -1L : 0)) / 16 % 4;
        // movn, of the complement, or movz
        int move = ones ? 0x9280_0000 | (part(value, first) ^ 0xffff) << 5 : 0xd280_0000 | part(value, first) << 5;
        code.int32(move | first << 21 | register);
        for (int part = first + 1; part < 4; part++) {
            if (part(value, part) != rest) {
                code.int32(0xf280_0000 | part << 21 | part(value, part) << 5 | register); // movk
            }
        }
    }

    /** How many of the four parts have this value. */
    private static int parts(long value, int bits) {
        int count = 0;
        for (int part = 0; part < 4; part++) {
            count += part(value, part) == bits ? 1 : 0;
        }
        return count;
    }

    private static int part(long value, int part) {
        return (int) (value >>> (16 * part)) & 0xffff;
    }

    private void branchIf(int condition, CodeBuffer.Label target) {
        branch(target, 0x5400_0000 | condition, 19, 5);
    }

    private void branchUnlessZero(int register, CodeBuffer.Label target) {
        branch(target, 0xb500_0000 | register, 19, 5);
    }

    /** Encodes the width of a load or store, in the instructions for single registers. */
    private static int size(int bits) {
        return switch (bits) {
            case 8 -> 0;
            case 16 -> 1 << 30;
            case 32 -> 2 << 30;
            case 64 -> 3 << 30;
            default -> throw width(bits);
        };
    }

    private static int register(Source source) {
        return source == Source.VALUE ? VALUE : OPERAND;
    }

    /** Encodes [base, index] as the memory operand. */
    private static int memory(int base, int index) {
        return index << 16 | base << 5;
    }

    /** Encodes a signed number in {@code bits} bits of an instruction. */
    private static int field(int number, int bits, int at) {
        return (number & (1 << bits) - 1) << at;
    }

    /** The distance to the target, counted in instructions, is put in {@code bits} bits of the instruction. */
    private void branch(CodeBuffer.Label target, int instruction, int bits, int shift) {
        code.use(target, Integer.BYTES, new Branch(instruction, bits, shift));
    }

    /** Writes a branch. It is a class, as a lambda would take milliseconds while the first variable waits. */
    private record Branch(int instruction, int bits, int shift) implements CodeBuffer.Patch {
        @Override
        public void write(ByteBuffer bytes, int at, int position) {
            int distance = reachable((position - at) / Integer.BYTES, bits);
            bytes.putInt(at, instruction | field(distance, bits, shift));
        }
    }

    /** Writes the instruction that computes a descriptor's address from its distance, in bytes. */
    private record DescriptorAddress() implements CodeBuffer.Patch {
        @Override
        public void write(ByteBuffer bytes, int at, int position) {
            int distance = reachable(position - at, 21);
            bytes.putInt(at, 0x1000_0000 | (distance & 3) << 29 | field(distance >> 2, 19, 5) | ADDRESS);
        }
    }

    private static int reachable(int distance, int bits) {
        if (distance >> (bits - 1) != 0 && distance >> (bits - 1) != -1) {
            throw new IllegalStateException(
                    "a label is " + distance + " units away, which does not fit in " + bits + " bits");
        }
        return distance;
    }

    private static IllegalArgumentException width(int bits) {
        return new IllegalArgumentException("no number is " + bits + " bits wide here");
    }
}
