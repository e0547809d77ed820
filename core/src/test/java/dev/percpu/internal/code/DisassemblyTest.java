package dev.percpu.internal.code;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * The emitted bytes, read by GNU objdump. Every sequence must have the shape that makes it exact, and each is compared
 * instruction by instruction with what it should be.
 */
@Tag("rseq")
class DisassemblyTest {
    private static final Pattern LINE = Pattern.compile("^\\s*([0-9a-f]+):\\t([^#]*?)\\s*(?:#.*)?$");

    @TempDir
    Path directory;

    private record Instruction(long address, String text) {}

    @TestFactory
    Stream<DynamicTest> everySequenceHasOneStoreAndEndsWithIt() {
        return Stream.of(Op.values())
                .flatMap(op -> SequencesUnderTest.WIDTHS.stream()
                        .filter(bits -> SequencesUnderTest.exists(op, bits))
                        .flatMap(bits -> Stream.of(
                                shape("pure " + op + " " + bits, op == Op.READ, s -> s.pure(op, bits)),
                                shape("guarded " + op + " " + bits, op == Op.READ, s -> s.guarded(op, bits)))));
    }

    @Test
    void acquireHasOneStoreAndEndsWithIt() throws IOException, InterruptedException {
        checkShape(false, Sequence::acquire);
    }

    @TestFactory
    Stream<DynamicTest> sequencesOfTheToolboxHaveOneStoreAndEndWithIt() {
        return Stream.of(
                shape("addIfOpen", false, Sequence::addIfOpen),
                shape("gated ADD", false, s -> s.gated(Op.ADD)),
                shape("gated ADD_DOUBLE", false, s -> s.gated(Op.ADD_DOUBLE)),
                shape("gated CMPXCHG", false, s -> s.gated(Op.CMPXCHG)),
                shape("pop", false, Sequence::pop));
    }

    @Test
    void push() throws IOException, InterruptedException {
        // The item is stored above the count, where nobody looks, and the count is the commit.
        assertThat(normalized(Sequence::push))
                .containsSubsequence(
                        "jne FORWARD",
                        "mov r9,QWORD PTR [rdi+r8*1]",
                        "cmp r9,rdx",
                        "jae FORWARD",
                        "inc r9",
                        "lea rax,[rdi+r8*1]",
                        "mov QWORD PTR [rax+r9*8],rsi",
                        "mov QWORD PTR [rdi+r8*1],r9",
                        "movabs r9,0x0",
                        "mov rax,r9",
                        "ret");
    }

    @Test
    void pop() throws IOException, InterruptedException {
        assertThat(normalized(Sequence::pop))
                .containsSubsequence(
                        "jne FORWARD",
                        "mov r9,QWORD PTR [rdi+r8*1]",
                        "test r9,r9",
                        "je FORWARD",
                        "lea rax,[rdi+r8*1]",
                        "mov rax,QWORD PTR [rax+r9*8]",
                        "dec r9",
                        "mov QWORD PTR [rdi+r8*1],r9",
                        "ret");
    }

    @Test
    void addTwo() throws IOException, InterruptedException {
        assertThat(normalized(Sequence::addTwo))
                .containsSubsequence(
                        "add r9,rsi", "mov QWORD PTR [rdi+r8*1],r9", "mov rdi,rdx", "mov rsi,rcx", "jmp FORWARD");
    }

    @Test
    void addIfOpen() throws IOException, InterruptedException {
        assertThat(normalized(Sequence::addIfOpen))
                .containsSubsequence(
                        "cmp QWORD PTR [rdx],0x0",
                        "jne FORWARD",
                        "mov r9,QWORD PTR [rdi+r8*1]",
                        "add r9,rsi",
                        "mov QWORD PTR [rdi+r8*1],r9");
    }

    @Test
    void additionWithinABound() throws IOException, InterruptedException {
        assertThat(normalized(s -> s.gated(Op.ADD)))
                .containsSubsequence("add r9,rsi", "cmp r9,rdx", "ja FORWARD", "mov QWORD PTR [rdi+r8*1],r9");
    }

    @Test
    void gatedAddWithin() throws IOException, InterruptedException {
        assertThat(normalized(s -> s.gated(Op.ADD)))
                .containsSubsequence(
                        "shl r8,SHIFT",
                        "movabs rax,GATE",
                        "cmp QWORD PTR [rdi+rax*1],rcx",
                        "jg FORWARD",
                        "mov r9,QWORD PTR [rdi+r8*1]",
                        "add r9,rsi",
                        "cmp r9,rdx",
                        "ja FORWARD",
                        "mov QWORD PTR [rdi+r8*1],r9",
                        "movabs r9,0x0",
                        "mov rax,r9",
                        "ret",
                        "movabs r9,0x1",
                        "mov rax,r9",
                        "ret");
    }

    @Test
    void gatedCompareAndExchange() throws IOException, InterruptedException {
        assertThat(normalized(s -> s.gated(Op.CMPXCHG)))
                .containsSubsequence(
                        "cmp QWORD PTR [rdi+rax*1],rcx",
                        "jg FORWARD",
                        "mov r9,QWORD PTR [rdi+r8*1]",
                        "cmp r9,rdx",
                        "jne FORWARD",
                        "mov QWORD PTR [rdi+r8*1],rsi",
                        "movabs r9,0x0");
    }

    private DynamicTest shape(String name, boolean reads, SequencesUnderTest.Emission emission) {
        return DynamicTest.dynamicTest(name, () -> checkShape(reads, emission));
    }

    private void checkShape(boolean reads, SequencesUnderTest.Emission emission)
            throws IOException, InterruptedException {
        var sequence = SequencesUnderTest.emit(SequencesUnderTest.layout(), Instrumentation.NONE, emission);
        List<Instruction> all = disassemble(sequence);
        assertThat(all).extracting(Instruction::text).noneMatch(text -> text.contains("(bad)"));

        List<Instruction> section = all.stream()
                .filter(i -> i.address() >= sequence.start() && i.address() < sequence.end())
                .toList();
        assertThat(section.getFirst().address()).as("start").isEqualTo(sequence.start());
        assertThat(all).as("end").extracting(Instruction::address).contains(sequence.end());

        List<Instruction> stores =
                section.stream().filter(DisassemblyTest::writesMemory).toList();
        if (reads) {
            assertThat(stores).isEmpty();
        } else {
            assertThat(stores).containsExactly(section.getLast());
        }
        assertThat(section)
                .extracting(Instruction::text)
                .allMatch(text -> text.startsWith("mov")
                        || text.matches("(add|and|or|addsd|cmp|shl|test|lea|dec) .*")
                        || text.matches("j(a|ae|e|g|ne) .*"));

        // The abort address: outside the section, after the signature, and on the way back to the entry.
        assertThat(sequence.abort()).isGreaterThan(sequence.end());
        long abort = sequence.abort() - sequence.mapping().code().address();
        assertThat(sequence.mapping().code().get(java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED, abort - 4))
                .isEqualTo(0x53053053);
        assertThat(all.getLast()).isEqualTo(new Instruction(sequence.abort(), "jmp " + hex(sequence.entry())));

        // Armed before the section starts.
        assertThat(all.get(0).text()).isEqualTo("lea rax,[rip+0xffffffffffffffd9]");
        assertThat(all.get(1)).satisfies(arm -> {
            assertThat(arm.text()).matches("mov QWORD PTR fs:0x[0-9a-f]+,rax");
            assertThat(arm.address()).isLessThan(sequence.start());
        });
        assertThat(all.get(2).address()).isEqualTo(sequence.start());
    }

    /** Whether the first operand, which the instruction writes unless it compares, is in memory. */
    private static boolean writesMemory(Instruction instruction) {
        String[] parts = instruction.text().split("[ ,]", 2);
        return !parts[0].matches("cmp|test") && parts[1].split(",", -1)[0].matches(".*(\\[|fs:).*");
    }

    @Test
    void addOfALong() throws IOException, InterruptedException {
        assertThat(normalized(s -> s.pure(Op.ADD, 64)))
                .containsExactly(
                        "lea rax,[rip+DESCRIPTOR]",
                        "mov QWORD PTR fs:RSEQ_CS,rax",
                        "mov r8d,DWORD PTR fs:CPU_ID",
                        "cmp r8d,CPUS",
                        "jae FORWARD",
                        "shl r8,SHIFT",
                        "mov r9,QWORD PTR [rdi+r8*1]",
                        "add r9,rsi",
                        "mov QWORD PTR [rdi+r8*1],r9",
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
    void compareAndExchangeOfAByte() throws IOException, InterruptedException {
        assertThat(normalized(s -> s.pure(Op.CMPXCHG, 8)))
                .containsSubsequence(
                        "movzx r9d,BYTE PTR [rdi+r8*1]",
                        "cmp r9b,dl",
                        "jne FORWARD",
                        "mov BYTE PTR [rdi+r8*1],sil",
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
    void exchangeOfAShort() throws IOException, InterruptedException {
        assertThat(normalized(s -> s.pure(Op.XCHG, 16)))
                .containsSubsequence(
                        "movzx r9d,WORD PTR [rdi+r8*1]",
                        "mov WORD PTR [rdi+r8*1],si",
                        "lock cmpxchg WORD PTR [rdi+r8*1],si");
    }

    @Test
    void orOfAnInt() throws IOException, InterruptedException {
        assertThat(normalized(s -> s.pure(Op.OR, 32)))
                .containsSubsequence(
                        "mov r9d,DWORD PTR [rdi+r8*1]",
                        "or r9,rsi",
                        "mov DWORD PTR [rdi+r8*1],r9d",
                        "lock cmpxchg DWORD PTR [rdi+r8*1],r9d");
    }

    @Test
    void addOfADouble() throws IOException, InterruptedException {
        assertThat(normalized(s -> s.pure(Op.ADD_DOUBLE, 64)))
                .containsSubsequence(
                        "mov r9,QWORD PTR [rdi+r8*1]",
                        "movq xmm0,r9",
                        "movq xmm1,rsi",
                        "addsd xmm0,xmm1",
                        "movq r9,xmm0",
                        "mov QWORD PTR [rdi+r8*1],r9");
    }

    @Test
    void guardedAnd() throws IOException, InterruptedException {
        assertThat(normalized(s -> s.guarded(Op.AND, 64)))
                .containsSubsequence(
                        "shl r8,SHIFT",
                        "movabs rax,GUARD",
                        "cmp QWORD PTR [rax+r8*1],0x0",
                        "jne FORWARD",
                        "mov r9,QWORD PTR [rdi+r8*1]",
                        "and r9,rsi",
                        "mov QWORD PTR [rdi+r8*1],r9",
                        "movabs r9,0x0",
                        "mov rax,r9",
                        "ret",
                        "movabs r9,0x1",
                        "mov rax,r9",
                        "ret");
    }

    @Test
    void acquire() throws IOException, InterruptedException {
        assertThat(normalized(Sequence::acquire))
                .containsSubsequence(
                        "mov r9d,r8d",
                        "shl r8,SHIFT",
                        "movabs rax,GUARD",
                        "cmp QWORD PTR [rax+r8*1],0x0",
                        "jne FORWARD",
                        "mov QWORD PTR [rax+r8*1],rdi",
                        "mov rax,r9",
                        "ret",
                        "movabs r9,0x8000000000000000",
                        "mov rax,r9",
                        "ret",
                        "not r9",
                        "mov rax,r9",
                        "ret");
    }

    @Test
    void instrumentation() throws IOException, InterruptedException {
        var sequence = SequencesUnderTest.emit(
                SequencesUnderTest.layout(), new Instrumentation(1000, 0x123456789aL), s -> s.pure(Op.ADD, 64));
        List<String> texts =
                disassemble(sequence).stream().map(Instruction::text).toList();
        assertThat(texts).containsSubsequence("movabs r11,0x123456789a", "lock inc QWORD PTR [r11]");
        assertThat(texts.stream().filter("mov r11d,0x3e8"::equals)).hasSize(5);
        assertThat(texts).containsSubsequence("mov r11d,0x3e8", "dec r11");
    }

    /** The instructions with the numbers that differ from run to run replaced by what they are. */
    private List<String> normalized(SequencesUnderTest.Emission emission) throws IOException, InterruptedException {
        SequenceLayout layout = SequencesUnderTest.layout();
        var sequence = SequencesUnderTest.emit(layout, Instrumentation.NONE, emission);
        List<String> texts = new ArrayList<>();
        for (Instruction instruction : disassemble(sequence)) {
            String text = instruction.text();
            Matcher jump = Pattern.compile("(j\\S+) 0x([0-9a-f]+)").matcher(text);
            if (jump.matches()) {
                boolean back = Long.parseUnsignedLong(jump.group(2), 16) < instruction.address();
                text = jump.group(1) + (back ? " BACK" : " FORWARD");
            }
            texts.add(text.replace("[rip+0xffffffffffffffd9]", "[rip+DESCRIPTOR]")
                    .replace("fs:" + hex(layout.rseqOffset() + 8), "fs:RSEQ_CS")
                    .replace("fs:" + hex(layout.rseqOffset() + 4), "fs:CPU_ID")
                    .replace("cmp r8d," + hex(layout.cpus()), "cmp r8d,CPUS")
                    .replace("shl r8," + hex(layout.shift()), "shl r8,SHIFT")
                    .replace("movabs r8," + hex((long) layout.cpus() << layout.shift()), "movabs r8,SPARE")
                    .replace("movabs rax," + hex(layout.spareDistance() + Sequence.GATE), "movabs rax,GATE")
                    .replace("movabs rax," + hex(layout.guardWord()), "movabs rax,GUARD"));
        }
        return texts;
    }

    /** From the entry to the end, without the signature, which is data. */
    private List<Instruction> disassemble(SequencesUnderTest.Emitted sequence)
            throws IOException, InterruptedException {
        var code = sequence.mapping().code();
        List<Instruction> instructions = new ArrayList<>();
        instructions.addAll(
                disassemble(code.toArray(JAVA_BYTE), sequence.entry(), sequence.abort() - 4, code.address()));
        instructions.addAll(disassemble(
                code.toArray(JAVA_BYTE), sequence.abort(), code.address() + code.byteSize(), code.address()));
        return instructions;
    }

    private List<Instruction> disassemble(byte[] code, long from, long to, long origin)
            throws IOException, InterruptedException {
        Path file = Files.write(directory.resolve("code"), code);
        Process objdump = new ProcessBuilder(
                        "objdump",
                        "-D",
                        "-b",
                        "binary",
                        "-m",
                        "i386:x86-64",
                        "-M",
                        "intel",
                        "-w",
                        "--no-show-raw-insn",
                        "--adjust-vma=" + hex(origin),
                        "--start-address=" + hex(from),
                        "--stop-address=" + hex(to),
                        file.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(objdump.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(objdump.waitFor()).as(output).isZero();
        List<Instruction> instructions = output.lines()
                .map(LINE::matcher)
                .filter(Matcher::matches)
                .map(line -> new Instruction(
                        Long.parseUnsignedLong(line.group(1), 16),
                        line.group(2).strip().replaceAll(" +", " ")))
                .toList();
        assertThat(instructions).as(output).isNotEmpty();
        return instructions;
    }

    private static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }
}
