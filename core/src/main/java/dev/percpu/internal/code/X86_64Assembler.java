package dev.percpu.internal.code;

import dev.percpu.internal.linux.RseqRegistration;

/**
 * x86-64 with the System V convention: slot in rdi, operand in rsi, the third argument in rdx, the fourth in rcx; CPU
 * in r8, value in r9. rax and r11 are free, and rcx where there is no fourth argument. In a call with a table, r10 has
 * the table, and xmm2, rdx, rcx, xmm3 and xmm4 have the values. (Not r11, which a delay changes. It could not restore
 * r11 if it was aborted half way.) The comment beside each instruction is what a disassembler shows.
 *
 * <p>This file is longer than others: it has each step, and each instruction of a step.
 */
final class X86_64Assembler implements Assembler {
    private static final int SIGNATURE = 0x53053053;

    /** [rax] as the memory operand: the ModRM bytes for the value or the operand as the register. */
    private static final int WITH_VALUE = 0x08;

    private static final int WITH_OPERAND = 0x30;

    /** [rdi + r8] as the memory operand: the ModRM bytes, and the SIB byte that follows them. */
    private static final int INDEXED_WITH_VALUE = 0x0c;

    private static final int INDEXED_WITH_OPERAND = 0x34;

    private static final int INDEX = 0x07;

    private static final int OPERAND_SIZE_16 = 0x66;
    private static final int LOCK = 0xf0;

    /** The prefix, and its bits: for a 64-bit operand, for r9 as the register, and for r8 as the index. */
    private static final int REX = 0x40;

    private static final int REX_W = 0x08;
    private static final int REX_R = 0x04;
    private static final int REX_X = 0x02;

    private final CodeBuffer code;

    X86_64Assembler(CodeBuffer code) {
        this.code = code;
    }

    @Override
    public void signature() {
        code.int32(SIGNATURE);
    }

    @Override
    public void arm(long rseqOffset, CodeBuffer.Label descriptor) {
        code.bytes(0x48, 0x8d, 0x05); // lea rax,[rip+descriptor]
        code.relative(descriptor);
        code.bytes(0x64, 0x48, 0x89, 0x04, 0x25); // mov fs:rseq_cs,rax
        code.int32(Math.toIntExact(rseqOffset + RseqRegistration.RSEQ_CS));
    }

    @Override
    public void loadCpu(long rseqOffset) {
        code.bytes(0x64, 0x44, 0x8b, 0x04, 0x25); // mov r8d,fs:cpu_id
        code.int32(Math.toIntExact(rseqOffset + RseqRegistration.CPU_ID));
    }

    @Override
    public void boundCpu(int bound, CodeBuffer.Label none) {
        code.bytes(0x41, 0x81, 0xf8); // cmp r8d,bound
        code.int32(bound);
        code.bytes(0x0f, 0x83); // jae none
        code.relative(none);
    }

    @Override
    public void scaleCpu(int shift) {
        code.bytes(0x49, 0xc1, 0xe0, shift); // shl r8,shift
    }

    @Override
    public void setCpu(long distance) {
        code.bytes(0x49, 0xb8); // movabs r8,distance
        code.int64(distance);
    }

    @Override
    public void lookAtWord(long word, CodeBuffer.Label taken) {
        // Every load of this architecture is a load-acquire.
        constantInRax(word);
        code.bytes(0x4a, 0x83, 0x3c, 0x00, 0x00); // cmp QWORD PTR [rax+r8*1],0
        code.bytes(0x0f, 0x85); // jne taken
        code.relative(taken);
    }

    @Override
    public void lookAtGate(long distance, CodeBuffer.Label shut) {
        constantInRax(distance);
        code.bytes(0x48, 0x83, 0x3c, 0x07, 0x00); // cmp QWORD PTR [rdi+rax*1],0
        code.bytes(0x0f, 0x85); // jne shut
        code.relative(shut);
    }

    @Override
    public void lookAtLimit(long distance, CodeBuffer.Label above) {
        constantInRax(distance);
        code.bytes(0x48, 0x39, 0x0c, 0x07); // cmp QWORD PTR [rdi+rax*1],rcx
        code.bytes(0x0f, 0x8f); // jg above
        code.relative(above);
    }

    @Override
    public void load(int bits) {
        instanceInRax();
        load(bits, 0, WITH_VALUE);
    }

    /*
     * Not [rdi+r8*1], though that would save an instruction. From a store to the next load of the same address,
     * processors since Golden Cove take no time if neither address has an index. With an index they take seven cycles,
     * and a loop that adds to one number waits for them.
     */
    private void instanceInRax() {
        code.bytes(0x4a, 0x8d, 0x04, INDEX); // lea rax,[rdi+r8*1]
    }

    private void load(int bits, int rexOfMemory, int... memory) {
        int rex = rex(bits, Source.VALUE) | rexOfMemory;
        switch (bits) {
            case 8 -> code.bytes(rex, 0x0f, 0xb6); // movzx r9d,BYTE PTR of the memory operand
            case 16 -> code.bytes(rex, 0x0f, 0xb7); // movzx r9d,WORD PTR
            case 32, 64 -> code.bytes(rex, 0x8b); // mov r9d, or r9
            default -> throw width(bits);
        }
        code.bytes(memory);
    }

    @Override
    public void compute(Op op) {
        switch (op) {
            case ADD -> code.bytes(0x49, 0x01, 0xf1); // add r9,rsi
            case AND -> code.bytes(0x49, 0x21, 0xf1); // and r9,rsi
            case OR -> code.bytes(0x49, 0x09, 0xf1); // or r9,rsi
            case ADD_DOUBLE -> {
                code.bytes(0x66, 0x49, 0x0f, 0x6e, 0xc1); // movq xmm0,r9
                code.bytes(0x66, 0x48, 0x0f, 0x6e, 0xce); // movq xmm1,rsi
                code.bytes(0xf2, 0x0f, 0x58, 0xc1); // addsd xmm0,xmm1
                code.bytes(0x66, 0x49, 0x0f, 0x7e, 0xc1); // movq r9,xmm0
            }
            case READ, MAX, XCHG, CMPXCHG -> throw new IllegalArgumentException(op + " computes nothing");
        }
    }

    @Override
    public void addToMemory() {
        instanceInRax();
        code.bytes(rex(Long.SIZE, Source.OPERAND), 0x01, WITH_OPERAND); // add QWORD PTR [rax],rsi
    }

    @Override
    public void compareExpected(int bits, CodeBuffer.Label differs) {
        switch (bits) {
            case 8 -> code.bytes(0x41, 0x38, 0xd1); // cmp r9b,dl
            case 16 -> code.bytes(OPERAND_SIZE_16, 0x41, 0x39, 0xd1); // cmp r9w,dx
            case 32 -> code.bytes(0x41, 0x39, 0xd1); // cmp r9d,edx
            case 64 -> code.bytes(0x49, 0x39, 0xd1); // cmp r9,rdx
            default -> throw width(bits);
        }
        code.bytes(0x0f, 0x85); // jne differs
        code.relative(differs);
    }

    @Override
    public void store(int bits, Source source) {
        // rax holds the instance's address since load.
        int rex = rex(bits, source);
        int register = source == Source.VALUE ? WITH_VALUE : WITH_OPERAND;
        switch (bits) {
            case 8 -> code.bytes(rex, 0x88, register); // mov BYTE PTR [rax],r9b or sil
            case 16 -> {
                code.bytes(OPERAND_SIZE_16);
                prefix(rex);
                code.bytes(0x89, register); // mov WORD PTR [rax],r9w or si
            }
            case 32, 64 -> {
                prefix(rex);
                code.bytes(0x89, register); // mov [rax],r9d or esi, r9 or rsi
            }
            default -> throw width(bits);
        }
    }

    /** The prefix, unless it has no bit set. (With a byte it also says that the register is sil, and not dh.) */
    private void prefix(int rex) {
        if (rex != REX) {
            code.bytes(rex);
        }
    }

    @Override
    public void storeWord() {
        // rax holds the word's address since lookAtWord.
        code.bytes(0x4a, 0x89, 0x3c, 0x00); // mov QWORD PTR [rax+r8*1],rdi
    }

    @Override
    public void loadLinked(int bits) {
        load(bits, REX_X, INDEXED_WITH_VALUE, INDEX);
        code.bytes(0x4c, 0x89, 0xc8); // mov rax,r9: what cmpxchg compares with
    }

    @Override
    public void storeConditional(int bits, Source source, CodeBuffer.Label retry) {
        int rex = rex(bits, source) | REX_X;
        int register = source == Source.VALUE ? INDEXED_WITH_VALUE : INDEXED_WITH_OPERAND;
        switch (bits) {
            case 8 -> code.bytes(LOCK, rex, 0x0f, 0xb0, register, INDEX); // lock cmpxchg BYTE PTR [rdi+r8*1],r9b or sil
            case 16 -> code.bytes(OPERAND_SIZE_16, LOCK, rex, 0x0f, 0xb1, register, INDEX); // the same, r9w or si
            case 32, 64 -> code.bytes(LOCK, rex, 0x0f, 0xb1, register, INDEX); // the same, r9d or esi, r9 or rsi
            default -> throw width(bits);
        }
        code.bytes(0x0f, 0x85); // jne retry
        code.relative(retry);
    }

    @Override
    public void compareAtMost(CodeBuffer.Label above) {
        code.bytes(0x49, 0x39, 0xd1); // cmp r9,rdx
        code.bytes(0x0f, 0x87); // ja above
        code.relative(above);
    }

    @Override
    public void compareBelowOperand(CodeBuffer.Label notBelow) {
        code.bytes(0x49, 0x39, 0xf1); // cmp r9,rsi
        code.bytes(0x0f, 0x83); // jae notBelow
        code.relative(notBelow);
    }

    @Override
    public void keepValues(int values) {
        code.bytes(0x49, 0x89, 0xfa); // mov r10,rdi
        code.bytes(0x66, 0x48, 0x0f, 0x6e, 0xd6); // movq xmm2,rsi
        if (values > 3) {
            code.bytes(0x66, 0x49, 0x0f, 0x6e, 0xd8); // movq xmm3,r8
            code.bytes(0x66, 0x49, 0x0f, 0x6e, 0xe1); // movq xmm4,r9
        }
    }

    @Override
    public void loadSlot(int word) {
        code.bytes(0x49, 0x8b, 0xba); // mov rdi,QWORD PTR [r10+word]
        code.int32(word * Long.BYTES);
    }

    @Override
    public void addToSlot(int value) {
        switch (value) {
            case 0 -> code.bytes(0x66, 0x48, 0x0f, 0x7e, 0xd0); // movq rax,xmm2
            case 1 -> code.bytes(0x48, 0x89, 0xd0); // mov rax,rdx
            case 2 -> code.bytes(0x48, 0x89, 0xc8); // mov rax,rcx
            case 3 -> code.bytes(0x66, 0x48, 0x0f, 0x7e, 0xd8); // movq rax,xmm3
            case 4 -> code.bytes(0x66, 0x48, 0x0f, 0x7e, 0xe0); // movq rax,xmm4
            default -> throw noValue(value);
        }
        code.bytes(0x48, 0x8d, 0x3c, 0xc7); // lea rdi,[rdi+rax*8]
    }

    @Override
    public void loadOperand(int word) {
        code.bytes(0x49, 0x8b, 0xb2); // mov rsi,QWORD PTR [r10+word]
        code.int32(word * Long.BYTES);
    }

    @Override
    public void setOperand(int value) {
        switch (value) {
            case 0 -> code.bytes(0x66, 0x48, 0x0f, 0x7e, 0xd6); // movq rsi,xmm2
            case 1 -> code.bytes(0x48, 0x89, 0xd6); // mov rsi,rdx
            case 2 -> code.bytes(0x48, 0x89, 0xce); // mov rsi,rcx
            case 3 -> code.bytes(0x66, 0x48, 0x0f, 0x7e, 0xde); // movq rsi,xmm3
            case 4 -> code.bytes(0x66, 0x48, 0x0f, 0x7e, 0xe6); // movq rsi,xmm4
            default -> throw noValue(value);
        }
    }

    @Override
    public void xorOperand(int word) {
        code.bytes(0x49, 0x33, 0xb2); // xor rsi,QWORD PTR [r10+word]
        code.int32(word * Long.BYTES);
    }

    @Override
    public void nextSlot() {
        code.bytes(0x48, 0x89, 0xd7); // mov rdi,rdx
        code.bytes(0x48, 0x89, 0xce); // mov rsi,rcx
    }

    @Override
    public void pushItem(CodeBuffer.Label full) {
        code.bytes(0x49, 0x39, 0xd1); // cmp r9,rdx
        code.bytes(0x0f, 0x83); // jae full
        code.relative(full);
        code.bytes(0x49, 0xff, 0xc1); // inc r9
        itemInRcx();
        code.bytes(0x48, 0x89, 0x31); // mov QWORD PTR [rcx],rsi
    }

    @Override
    public void popItem(CodeBuffer.Label empty) {
        code.bytes(0x4d, 0x85, 0xc9); // test r9,r9
        code.bytes(0x0f, 0x84); // je empty
        code.relative(empty);
        itemInRcx();
        code.bytes(0x48, 0x8b, 0x09); // mov rcx,QWORD PTR [rcx]
        code.bytes(0x49, 0xff, 0xc9); // dec r9
    }

    /** No argument of a push or a pop is in rcx. As for the count, the address must have no index. */
    private void itemInRcx() {
        code.bytes(0x4a, 0x8d, 0x0c, 0xc8); // lea rcx,[rax+r9*8]
    }

    @Override
    public void returnItem() {
        code.bytes(0x48, 0x89, 0xc8); // mov rax,rcx: popItem left it there
        code.bytes(0xc3); // ret
    }

    @Override
    public void keepStackPointer() {
        code.bytes(0x49, 0x89, 0xe1); // mov r9,rsp
    }

    @Override
    public void keepCpu() {
        code.bytes(0x45, 0x89, 0xc1); // mov r9d,r8d
    }

    @Override
    public void complementValue() {
        code.bytes(0x49, 0xf7, 0xd1); // not r9
    }

    @Override
    public void returnValue() {
        code.bytes(0x4c, 0x89, 0xc8); // mov rax,r9
        code.bytes(0xc3); // ret
    }

    @Override
    public void returnConstant(long constant) {
        if (constant == 0) {
            code.bytes(0x31, 0xc0); // xor eax,eax
        } else {
            constantInRax(constant);
        }
        code.bytes(0xc3); // ret
    }

    @Override
    public void jump(CodeBuffer.Label target) {
        code.bytes(0xe9); // jmp target
        code.relative(target);
    }

    @Override
    public void delay(int rounds) {
        code.bytes(0x41, 0xbb); // mov r11d,rounds
        code.int32(rounds);
        code.bytes(0x49, 0xff, 0xcb); // dec r11
        code.bytes(0x75, 0xfb); // jne to the dec
    }

    @Override
    public void count(long address) {
        code.bytes(0x49, 0xbb); // movabs r11,address
        code.int64(address);
        code.bytes(0xf0, 0x49, 0xff, 0x03); // lock inc QWORD PTR [r11]
    }

    private void constantInRax(long constant) {
        code.bytes(0x48, 0xb8); // movabs rax,constant
        code.int64(constant);
    }

    private static int rex(int bits, Source source) {
        return REX | (bits == Long.SIZE ? REX_W : 0) | (source == Source.VALUE ? REX_R : 0);
    }

    private static IllegalArgumentException noValue(int value) {
        return new IllegalArgumentException("no value has the number " + value);
    }

    private static IllegalArgumentException width(int bits) {
        return new IllegalArgumentException("no number is " + bits + " bits wide here");
    }
}
