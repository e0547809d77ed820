package dev.percpu.internal.code;

import static dev.percpu.internal.code.Listing.hex;
import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.linux.Architecture;
import dev.percpu.internal.linux.RseqRegistration;
import dev.percpu.memory.NumericWidth;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * What the sequences are on x86-64, instruction by instruction.
 *
 * <p>This file is longer than others: it lists the instructions of each kind of sequence.
 */
class X86_64DisassemblyTest extends DisassemblyTest {
    private static final Pattern HARMLESS = Pattern.compile(
            "(mov|movzx|movabs|movq|add|and|or|xor|addsd|cmp|shl|test|lea|inc|dec|ja|jae|je|jg|jne) .*");

    private static final int LEA_BYTES = 7;

    X86_64DisassemblyTest() {
        super(Architecture.X86_64, 0x53053053);
    }

    /** The first operand, which an instruction writes unless it compares, is in memory. */
    @Override
    boolean writesMemory(String text) {
        String[] parts = text.split("[ ,]", 2);
        return parts.length > 1
                && !parts[0].matches("cmp|test|lea")
                && parts[1].split(",", -1)[0].matches(".*(\\[|fs:).*");
    }

    @Override
    boolean mayBeInside(String text) {
        return HARMLESS.matcher(text).matches();
    }

    @Override
    List<String> arming() {
        return List.of("lea rax,[rip+DESCRIPTOR]", "mov QWORD PTR fs:RSEQ_CS,rax");
    }

    @Override
    List<String> entering() {
        return List.of("mov r8d,DWORD PTR fs:CPU_ID", "cmp r8d,CPUS", "jae FORWARD");
    }

    @Override
    List<String> named(Listing listing, SequenceLayout layout) {
        String rseqCs = hex(layout.rseqOffset() + RseqRegistration.RSEQ_CS);
        String cpuId = hex(layout.rseqOffset() + RseqRegistration.CPU_ID);
        List<String> texts = withDirections(listing.instructions());
        for (int i = 0; i < texts.size(); i++) {
            // From the end of the instruction.
            long from = listing.instructions().get(i).address() + LEA_BYTES;
            for (Listing.Section section : listing.sections()) {
                String distance = "[rip+" + hex(section.descriptor() - from) + "]";
                texts.set(i, texts.get(i).replace(distance, "[rip+DESCRIPTOR]"));
            }
        }
        return texts.stream()
                .map(text -> text.replace("fs:" + rseqCs + ",", "fs:RSEQ_CS,")
                        .replaceAll("fs:" + cpuId + "$", "fs:CPU_ID")
                        .replaceAll("cmp r8d," + hex(layout.cpus()) + "$", "cmp r8d,CPUS")
                        .replaceAll("shl r8," + hex(layout.shift()) + "$", "shl r8,SHIFT")
                        .replaceAll("movabs r8," + hex(layout.spareDistance()) + "$", "movabs r8,SPARE")
                        .replaceAll("movabs rax," + hex(layout.gateDistance()) + "$", "movabs rax,GATE")
                        .replaceAll("movabs rax," + hex(layout.guardWord()) + "$", "movabs rax,GUARD"))
                .toList();
    }

    @Test
    void addOfALong() {
        assertThat(listing(Catalogue.pure(Op.ADD, NumericWidth.LONG)))
                .containsExactly(
                        "lea rax,[rip+DESCRIPTOR]",
                        "mov QWORD PTR fs:RSEQ_CS,rax",
                        "mov r8d,DWORD PTR fs:CPU_ID",
                        "cmp r8d,CPUS",
                        "jae FORWARD",
                        "shl r8,SHIFT",
                        "lea rax,[rdi+r8*1]",
                        "mov r9,QWORD PTR [rax]",
                        "add r9,rsi",
                        "mov QWORD PTR [rax],r9",
                        "mov rax,r9",
                        "ret",
                        "movabs r8,SPARE",
                        "mov r9,QWORD PTR [rdi+r8*1]",
                        "mov rax,r9",
                        "add r9,rsi",
                        "lock cmpxchg QWORD PTR [rdi+r8*1],r9",
                        "jne BACK",
                        "mov rax,r9",
                        "ret",
                        "jmp BACK");
    }

    @Test
    void compareAndExchangeOfAByte() {
        assertThat(listing(Catalogue.pure(Op.CMPXCHG, NumericWidth.BYTE)))
                .containsSubsequence(
                        "lea rax,[rdi+r8*1]",
                        "movzx r9d,BYTE PTR [rax]",
                        "cmp r9b,dl",
                        "jne FORWARD",
                        "mov BYTE PTR [rax],sil",
                        "mov rax,r9",
                        "ret",
                        "movzx r9d,BYTE PTR [rdi+r8*1]",
                        "mov rax,r9",
                        "cmp r9b,dl",
                        "jne FORWARD",
                        "lock cmpxchg BYTE PTR [rdi+r8*1],sil",
                        "jne BACK");
    }

    @Test
    void exchangeOfAShort() {
        assertThat(listing(Catalogue.pure(Op.XCHG, NumericWidth.SHORT)))
                .containsSubsequence(
                        "lea rax,[rdi+r8*1]",
                        "movzx r9d,WORD PTR [rax]",
                        "mov WORD PTR [rax],si",
                        "lock cmpxchg WORD PTR [rdi+r8*1],si");
    }

    @Test
    void orOfAnInt() {
        assertThat(listing(Catalogue.pure(Op.OR, NumericWidth.INT)))
                .containsSubsequence(
                        "lea rax,[rdi+r8*1]",
                        "mov r9d,DWORD PTR [rax]",
                        "or r9,rsi",
                        "mov DWORD PTR [rax],r9d",
                        "lock cmpxchg DWORD PTR [rdi+r8*1],r9d");
    }

    @Test
    void addOfADouble() {
        assertThat(listing(Catalogue.pure(Op.ADD_DOUBLE, NumericWidth.LONG)))
                .containsSubsequence(
                        "lea rax,[rdi+r8*1]",
                        "mov r9,QWORD PTR [rax]",
                        "movq xmm0,r9",
                        "movq xmm1,rsi",
                        "addsd xmm0,xmm1",
                        "movq r9,xmm0",
                        "mov QWORD PTR [rax],r9");
    }

    @Test
    void guardedAnd() {
        assertThat(listing(Catalogue.guarded(Op.AND, NumericWidth.LONG)))
                .containsSubsequence(
                        "shl r8,SHIFT",
                        "movabs rax,GUARD",
                        "cmp QWORD PTR [rax+r8*1],0x0",
                        "jne FORWARD",
                        "lea rax,[rdi+r8*1]",
                        "mov r9,QWORD PTR [rax]",
                        "and r9,rsi",
                        "mov QWORD PTR [rax],r9",
                        "xor eax,eax",
                        "ret",
                        "movabs rax,0x1",
                        "ret");
    }

    @Test
    void acquire() {
        assertThat(listing(Catalogue.ACQUIRE))
                .containsSubsequence(
                        "mov r9d,r8d",
                        "shl r8,SHIFT",
                        "movabs rax,GUARD",
                        "cmp QWORD PTR [rax+r8*1],0x0",
                        "jne FORWARD",
                        "mov QWORD PTR [rax+r8*1],rdi",
                        "mov rax,r9",
                        "ret",
                        "movabs rax,0x8000000000000000",
                        "ret",
                        "not r9",
                        "mov rax,r9",
                        "ret");
    }

    @Test
    void push() {
        // The item is stored above the count, where nobody looks, and the count is the commit.
        assertThat(listing(Catalogue.PUSH))
                .containsSubsequence(
                        "jne FORWARD",
                        "lea rax,[rdi+r8*1]",
                        "mov r9,QWORD PTR [rax]",
                        "cmp r9,rdx",
                        "jae FORWARD",
                        "inc r9",
                        "lea rcx,[rax+r9*8]",
                        "mov QWORD PTR [rcx],rsi",
                        "mov QWORD PTR [rax],r9",
                        "xor eax,eax",
                        "ret");
    }

    @Test
    void pop() {
        assertThat(listing(Catalogue.POP))
                .containsSubsequence(
                        "jne FORWARD",
                        "lea rax,[rdi+r8*1]",
                        "mov r9,QWORD PTR [rax]",
                        "test r9,r9",
                        "je FORWARD",
                        "lea rcx,[rax+r9*8]",
                        "mov rcx,QWORD PTR [rcx]",
                        "dec r9",
                        "mov QWORD PTR [rax],r9",
                        "mov rax,rcx",
                        "ret");
    }

    @Test
    void stackPointer() {
        assertThat(listing(Catalogue.STACK_POINTER)).containsExactly("mov r9,rsp", "mov rax,r9", "ret");
    }

    @Test
    void addTwo() {
        assertThat(listing(Catalogue.ADD_TWO))
                .containsSubsequence(
                        "shl r8,SHIFT",
                        "lea rax,[rdi+r8*1]",
                        "add QWORD PTR [rax],rsi",
                        "mov rdi,rdx",
                        "mov rsi,rcx",
                        "lea rax,[rip+DESCRIPTOR]",
                        "lea rax,[rdi+r8*1]",
                        "add QWORD PTR [rax],rsi",
                        "ret",
                        "movabs r8,SPARE",
                        "lock cmpxchg QWORD PTR [rdi+r8*1],r9",
                        "jmp BACK");
    }

    @Test
    void addLongAndDouble() {
        assertThat(listing(Catalogue.ADD_LONG_AND_DOUBLE))
                .containsSubsequence(
                        "lea rax,[rdi+r8*1]",
                        "add QWORD PTR [rax],rsi",
                        "mov rdi,rdx",
                        "mov rsi,rcx",
                        "lea rax,[rip+DESCRIPTOR]",
                        "movq xmm0,r9",
                        "movq xmm1,rsi",
                        "addsd xmm0,xmm1",
                        "movq r9,xmm0",
                        "mov QWORD PTR [rax],r9",
                        "ret");
    }

    @Test
    void gatedAdd() {
        assertThat(listing(Catalogue.GATED_ADD))
                .containsSubsequence(
                        "movabs rax,GATE",
                        "cmp QWORD PTR [rdi+rax*1],0x0",
                        "jne FORWARD",
                        "lea rax,[rdi+r8*1]",
                        "add QWORD PTR [rax],rsi",
                        "xor eax,eax",
                        "ret");
    }

    @Test
    void credit() {
        assertThat(listing(Catalogue.CREDIT))
                .containsSubsequence(
                        "shl r8,SHIFT",
                        "movabs rax,GATE",
                        "cmp QWORD PTR [rdi+rax*1],rcx",
                        "jg FORWARD",
                        "lea rax,[rdi+r8*1]",
                        "mov r9,QWORD PTR [rax]",
                        "add r9,rsi",
                        "cmp r9,rdx",
                        "ja FORWARD",
                        "mov QWORD PTR [rax],r9",
                        "xor eax,eax",
                        "ret",
                        "movabs rax,0x1",
                        "ret");
    }

    @Test
    void gatedCompareAndExchange() {
        assertThat(listing(Catalogue.GATED_CMPXCHG))
                .containsSubsequence(
                        "cmp QWORD PTR [rdi+rax*1],0x0",
                        "jne FORWARD",
                        "lea rax,[rdi+r8*1]",
                        "mov r9,QWORD PTR [rax]",
                        "cmp r9,rdx",
                        "jne FORWARD",
                        "mov QWORD PTR [rax],rsi",
                        "xor eax,eax");
    }

    @Test
    void aMaximum() {
        assertThat(listing(maximum()))
                .containsSubsequence(
                        "lea rax,[rdi+r8*1]",
                        "mov r9,QWORD PTR [rax]",
                        "cmp r9,rsi",
                        "jae FORWARD",
                        "mov QWORD PTR [rax],rsi",
                        "mov rax,r9",
                        "ret",
                        "mov r9,QWORD PTR [rdi+r8*1]",
                        "mov rax,r9",
                        "cmp r9,rsi",
                        "jae FORWARD",
                        "lock cmpxchg QWORD PTR [rdi+r8*1],rsi",
                        "jne BACK");
    }

    @Test
    void anEvent() {
        assertThat(listing(event()))
                .containsSubsequence(
                        "mov r10,rdi",
                        "movq xmm2,rsi",
                        "movq xmm3,r8",
                        "movq xmm4,r9",
                        "mov rdi,QWORD PTR [r10+0x0]",
                        "mov rsi,QWORD PTR [r10+0x8]",
                        "lea rax,[rip+DESCRIPTOR]",
                        "lea rax,[rdi+r8*1]",
                        "add QWORD PTR [rax],rsi",
                        "mov rdi,QWORD PTR [r10+0x10]",
                        "movq rax,xmm3",
                        "lea rdi,[rdi+rax*8]",
                        "mov rsi,rdx",
                        "lea rax,[rip+DESCRIPTOR]",
                        "lea rax,[rdi+r8*1]",
                        "add QWORD PTR [rax],rsi",
                        "mov rdi,QWORD PTR [r10+0x20]",
                        "movq rsi,xmm4",
                        "lea rax,[rip+DESCRIPTOR]",
                        "cmp QWORD PTR [rdi+rax*1],0x0",
                        "jne FORWARD",
                        "addsd xmm0,xmm1",
                        "mov QWORD PTR [rax],r9",
                        "mov rdi,QWORD PTR [r10+0x30]",
                        "movq rsi,xmm2",
                        "xor rsi,QWORD PTR [r10+0x38]",
                        "lea rax,[rip+DESCRIPTOR]",
                        "cmp QWORD PTR [rdi+rax*1],0x0",
                        "cmp r9,rsi",
                        "mov QWORD PTR [rax],rsi",
                        "ret",
                        "lock cmpxchg QWORD PTR [rdi+r8*1],r9",
                        "jne BACK",
                        "jmp BACK");
    }

    @Test
    void instrumentation() {
        List<String> texts =
                listing(new Instrumentation(1000, 0x123456789aL), Catalogue.pure(Op.ADD, NumericWidth.LONG));
        assertThat(texts).containsSubsequence("ret", "movabs r11,0x123456789a", "lock inc QWORD PTR [r11]", "jmp BACK");
        assertThat(texts).filteredOn("mov r11d,0x3e8"::equals).hasSize(5);
        assertThat(texts).containsSubsequence("mov r11d,0x3e8", "dec r11", "jne BACK");
    }
}
