package dev.percpu.internal.code;

import static dev.percpu.internal.code.Listing.hex;
import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.linux.Architecture;
import dev.percpu.internal.linux.RseqRegistration;
import dev.percpu.memory.NumericWidth;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What the sequences are on AArch64, instruction by instruction.
 *
 * <p>This file is longer than others: it lists the instructions of each kind of sequence.
 */
class AArch64DisassemblyTest extends DisassemblyTest {
    private static final Pattern HARMLESS = Pattern.compile(
            "(mrs|mov|movk|ldr|ldrb|ldrh|ldar|cmp|add|sub|and|orr|lsl|fmov|fadd|b\\.cs|b\\.ne|b\\.hi|b\\.gt|cbz|cbnz) .*");
    private static final Pattern COMMIT = Pattern.compile("(str|strb|strh) .*");

    /** The first instruction of those that set a register to a constant, and the others. */
    private static final Pattern CONSTANT = Pattern.compile("mov (x\\d+), #0x([0-9a-f]+)");

    private static final Pattern PART = Pattern.compile("movk (x\\d+), #0x([0-9a-f]+)(?:, lsl #(\\d+))?");

    AArch64DisassemblyTest() {
        super(Architecture.AARCH64, 0xd428bc00);
    }

    @Override
    boolean writesMemory(String text) {
        return text.startsWith("st");
    }

    @Override
    boolean mayBeInside(String text) {
        return HARMLESS.matcher(text).matches() || COMMIT.matcher(text).matches();
    }

    @Override
    List<String> arming() {
        return List.of("adr x11, DESCRIPTOR", "mrs x12, tpidr_el0", "mov x13, RSEQ_CS", "str x11, [x12, x13]");
    }

    @Override
    List<String> entering() {
        return List.of(
                "mrs x12, tpidr_el0",
                "mov x11, CPU_ID",
                "ldr w9, [x12, x11]",
                "mov x11, CPUS",
                "cmp x9, x11",
                "b.cs FORWARD");
    }

    @Override
    List<String> named(Listing listing, SequenceLayout layout) {
        List<String> texts = withConstants(withDirections(listing.instructions()));
        texts.replaceAll(text -> switch (text) {
            case String s
            when s.equals("mov x13, #" + hex(layout.rseqOffset() + RseqRegistration.RSEQ_CS)) -> "mov x13, RSEQ_CS";
            case String s
            when s.equals("mov x11, #" + hex(layout.rseqOffset() + RseqRegistration.CPU_ID)) -> "mov x11, CPU_ID";
            case String s when s.equals("mov x11, #" + hex(layout.cpus())) -> "mov x11, CPUS";
            case String s when s.equals("mov x11, #" + hex(layout.guardWord())) -> "mov x11, GUARD";
            case String s when s.equals("mov x11, #" + hex(layout.gateDistance())) -> "mov x11, GATE";
            case String s when s.equals("mov x9, #" + hex(layout.spareDistance())) -> "mov x9, SPARE";
            case String s when s.equals("lsl x9, x9, #" + layout.shift()) -> "lsl x9, x9, SHIFT";
            default -> text;
        });
        for (Listing.Section section : listing.sections()) {
            texts.replaceAll(text -> text.replace("adr x11, " + hex(section.descriptor()), "adr x11, DESCRIPTOR"));
        }
        return texts;
    }

    /** Joins the instructions that set a register to a constant by parts. */
    private static List<String> withConstants(List<String> texts) {
        List<String> joined = new ArrayList<>();
        for (String text : texts) {
            Matcher part = PART.matcher(text);
            if (!part.matches()) {
                joined.add(text);
                continue;
            }
            Matcher constant = CONSTANT.matcher(joined.removeLast());
            assertThat(constant.matches()).as("what comes before " + text).isTrue();
            assertThat(constant.group(1)).isEqualTo(part.group(1));
            long before = Long.parseUnsignedLong(constant.group(2), 16);
            int shift = part.group(3) == null ? 0 : Integer.parseInt(part.group(3));
            long value = (before & ~(0xffffL << shift)) | Long.parseLong(part.group(2), 16) << shift;
            joined.add("mov " + constant.group(1) + ", #" + hex(value));
        }
        return joined;
    }

    @Test
    void constants() {
        List<Long> constants = new ArrayList<>();
        for (long value = 1; value != 0; value <<= 1) {
            constants.addAll(List.of(value, -value, value - 1, ~(value + 1)));
        }
        // All that can be said about where parts are 0, all ones, or neither.
        Random random = new Random(5);
        for (int shape = 0; shape < 81; shape++) {
            long value = 0;
            for (int part = 0, rest = shape; part < 4; part++, rest /= 3) {
                value = value << 16 | new long[] {0, 0xffff, 1 + random.nextInt(0xfffe)}[rest % 3];
            }
            constants.add(value);
        }
        List<String> texts = withConstants(Listing.assembled(Architecture.AARCH64, assembler -> {
                    constants.forEach(assembler::returnConstant);
                })
                .texts());
        assertThat(texts)
                .isEqualTo(constants.stream()
                        .flatMap(constant -> Stream.of("mov x0, #" + hex(constant), "ret"))
                        .toList());
    }

    @Test
    void addOfALong() {
        assertThat(listing(Catalogue.pure(Op.ADD, NumericWidth.LONG)))
                .containsExactly(
                        "adr x11, DESCRIPTOR",
                        "mrs x12, tpidr_el0",
                        "mov x13, RSEQ_CS",
                        "str x11, [x12, x13]",
                        "mrs x12, tpidr_el0",
                        "mov x11, CPU_ID",
                        "ldr w9, [x12, x11]",
                        "mov x11, CPUS",
                        "cmp x9, x11",
                        "b.cs FORWARD",
                        "lsl x9, x9, SHIFT",
                        "ldr x10, [x0, x9]",
                        "add x10, x10, x1",
                        "str x10, [x0, x9]",
                        "mov x0, x10",
                        "ret",
                        "mov x9, SPARE",
                        "add x11, x0, x9",
                        "ldaxr x10, [x11]",
                        "add x10, x10, x1",
                        "stlxr w12, x10, [x11]",
                        "cbnz w12, BACK",
                        "mov x0, x10",
                        "ret",
                        "b BACK");
    }

    @Test
    void compareAndExchangeOfAByte() {
        assertThat(listing(Catalogue.pure(Op.CMPXCHG, NumericWidth.BYTE)))
                .containsSubsequence(
                        "ldrb w10, [x0, x9]",
                        "cmp w10, w2, uxtb",
                        "b.ne FORWARD",
                        "strb w1, [x0, x9]",
                        "mov x0, x10",
                        "ret",
                        "add x11, x0, x9",
                        "ldaxrb w10, [x11]",
                        "cmp w10, w2, uxtb",
                        "b.ne FORWARD",
                        "stlxrb w12, w1, [x11]",
                        "cbnz w12, BACK",
                        "mov x0, x10",
                        "ret");
    }

    @Test
    void comparisonsOfOtherWidths() {
        assertThat(listing(Catalogue.pure(Op.CMPXCHG, NumericWidth.SHORT)))
                .containsSubsequence("cmp w10, w2, uxth", "b.ne FORWARD");
        assertThat(listing(Catalogue.pure(Op.CMPXCHG, NumericWidth.INT)))
                .containsSubsequence("cmp w10, w2", "b.ne FORWARD");
        assertThat(listing(Catalogue.pure(Op.CMPXCHG, NumericWidth.LONG)))
                .containsSubsequence("cmp x10, x2", "b.ne FORWARD");
    }

    @Test
    void exchangeOfAShort() {
        assertThat(listing(Catalogue.pure(Op.XCHG, NumericWidth.SHORT)))
                .containsSubsequence(
                        "ldrh w10, [x0, x9]",
                        "strh w1, [x0, x9]",
                        "mov x0, x10",
                        "ldaxrh w10, [x11]",
                        "stlxrh w12, w1, [x11]");
    }

    @Test
    void orOfAnInt() {
        assertThat(listing(Catalogue.pure(Op.OR, NumericWidth.INT)))
                .containsSubsequence(
                        "ldr w10, [x0, x9]",
                        "orr x10, x10, x1",
                        "str w10, [x0, x9]",
                        "ldaxr w10, [x11]",
                        "orr x10, x10, x1",
                        "stlxr w12, w10, [x11]");
    }

    @Test
    void addOfADouble() {
        assertThat(listing(Catalogue.pure(Op.ADD_DOUBLE, NumericWidth.LONG)))
                .containsSubsequence(
                        "ldr x10, [x0, x9]",
                        "fmov d0, x10",
                        "fmov d1, x1",
                        "fadd d0, d0, d1",
                        "fmov x10, d0",
                        "str x10, [x0, x9]");
    }

    @Test
    void guardedAnd() {
        assertThat(listing(Catalogue.guarded(Op.AND, NumericWidth.LONG)))
                .containsSubsequence(
                        "lsl x9, x9, SHIFT",
                        "mov x11, GUARD",
                        "add x11, x11, x9",
                        "ldar x12, [x11]",
                        "cbnz x12, FORWARD",
                        "ldr x10, [x0, x9]",
                        "and x10, x10, x1",
                        "str x10, [x0, x9]",
                        "mov x0, #0x0",
                        "ret",
                        "mov x0, #0x1",
                        "ret");
    }

    @Test
    void acquire() {
        assertThat(listing(Catalogue.ACQUIRE))
                .containsSubsequence(
                        "mov x10, x9",
                        "lsl x9, x9, SHIFT",
                        "mov x11, GUARD",
                        "add x11, x11, x9",
                        "ldar x12, [x11]",
                        "cbnz x12, FORWARD",
                        "str x0, [x11]",
                        "mov x0, x10",
                        "ret",
                        "mov x0, #0x8000000000000000",
                        "ret",
                        "mvn x10, x10",
                        "mov x0, x10",
                        "ret");
    }

    @Test
    void push() {
        assertThat(listing(Catalogue.PUSH))
                .containsSubsequence(
                        "ldar x12, [x11]",
                        "cbnz x12, FORWARD",
                        "ldr x10, [x0, x9]",
                        "cmp x10, x2",
                        "b.cs FORWARD",
                        "add x10, x10, #0x1",
                        "add x11, x0, x9",
                        "str x1, [x11, x10, lsl #3]",
                        "str x10, [x0, x9]",
                        "mov x0, #0x0",
                        "ret");
    }

    @Test
    void pop() {
        assertThat(listing(Catalogue.POP))
                .containsSubsequence(
                        "ldar x12, [x11]",
                        "cbnz x12, FORWARD",
                        "ldr x10, [x0, x9]",
                        "cbz x10, FORWARD",
                        "add x11, x0, x9",
                        "ldr x13, [x11, x10, lsl #3]",
                        "sub x10, x10, #0x1",
                        "str x10, [x0, x9]",
                        "mov x0, x13",
                        "ret",
                        "mov x0, #0xffffffffffffffff",
                        "ret");
    }

    @Test
    void addTwo() {
        assertThat(listing(Catalogue.ADD_TWO))
                .containsSubsequence(
                        "add x10, x10, x1", "str x10, [x0, x9]", "mov x0, x2", "mov x1, x3", "adr x11, DESCRIPTOR");
    }

    @Test
    void addLongAndDouble() {
        assertThat(listing(Catalogue.ADD_LONG_AND_DOUBLE))
                .containsSubsequence(
                        "add x10, x10, x1",
                        "str x10, [x0, x9]",
                        "mov x0, x2",
                        "mov x1, x3",
                        "adr x11, DESCRIPTOR",
                        "fmov d0, x10",
                        "fmov d1, x1",
                        "fadd d0, d0, d1",
                        "fmov x10, d0",
                        "str x10, [x0, x9]");
    }

    @Test
    void gatedAdd() {
        assertThat(listing(Catalogue.GATED_ADD))
                .containsSubsequence(
                        "mov x11, GATE",
                        "add x11, x11, x0",
                        "ldar x12, [x11]",
                        "cbnz x12, FORWARD",
                        "ldr x10, [x0, x9]",
                        "add x10, x10, x1",
                        "str x10, [x0, x9]");
    }

    @Test
    void credit() {
        assertThat(listing(Catalogue.CREDIT))
                .containsSubsequence(
                        "mov x11, GATE",
                        "add x11, x11, x0",
                        "ldar x12, [x11]",
                        "cmp x12, x3",
                        "b.gt FORWARD",
                        "ldr x10, [x0, x9]",
                        "add x10, x10, x1",
                        "cmp x10, x2",
                        "b.hi FORWARD",
                        "str x10, [x0, x9]",
                        "mov x0, #0x0",
                        "ret",
                        "mov x0, #0x1");
    }

    @Test
    void gatedCompareAndExchange() {
        assertThat(listing(Catalogue.GATED_CMPXCHG))
                .containsSubsequence(
                        "ldar x12, [x11]",
                        "cbnz x12, FORWARD",
                        "ldr x10, [x0, x9]",
                        "cmp x10, x2",
                        "b.ne FORWARD",
                        "str x1, [x0, x9]",
                        "mov x0, #0x0");
    }

    @Test
    void currentCpu() {
        assertThat(listing(Catalogue.CURRENT_CPU))
                .containsExactly(
                        "mrs x12, tpidr_el0",
                        "mov x11, CPU_ID",
                        "ldr w9, [x12, x11]",
                        "mov x10, x9",
                        "mov x0, x10",
                        "ret");
    }

    @Test
    void stackPointer() {
        assertThat(listing(Catalogue.STACK_POINTER)).containsExactly("mov x10, sp", "mov x0, x10", "ret");
    }

    @Test
    void aMaximum() {
        assertThat(listing(maximum()))
                .containsSubsequence(
                        "ldr x10, [x0, x9]",
                        "cmp x10, x1",
                        "b.cs FORWARD",
                        "str x1, [x0, x9]",
                        "mov x0, x10",
                        "ret",
                        "ldaxr x10, [x11]",
                        "cmp x10, x1",
                        "b.cs FORWARD",
                        "stlxr w12, x1, [x11]",
                        "cbnz w12, BACK");
    }

    @Test
    void anEvent() {
        assertThat(listing(event()))
                .containsSubsequence(
                        "mov x6, x0",
                        "mov x7, x1",
                        "ldr x0, [x6]",
                        "ldr x1, [x6, #8]",
                        "adr x11, DESCRIPTOR",
                        "str x10, [x0, x9]",
                        "ldr x0, [x6, #16]",
                        "add x0, x0, x4, lsl #3",
                        "mov x1, x2",
                        "adr x11, DESCRIPTOR",
                        "str x10, [x0, x9]",
                        "ldr x0, [x6, #32]",
                        "mov x1, x5",
                        "adr x11, DESCRIPTOR",
                        "cbnz x12, FORWARD",
                        "fadd d0, d0, d1",
                        "str x10, [x0, x9]",
                        "ldr x0, [x6, #48]",
                        "mov x1, x7",
                        "ldr x12, [x6, #56]",
                        "eor x1, x1, x12",
                        "adr x11, DESCRIPTOR",
                        "cbnz x12, FORWARD",
                        "cmp x10, x1",
                        "b.cs FORWARD",
                        "str x1, [x0, x9]",
                        "ret",
                        "stlxr w12, x10, [x11]",
                        "b BACK");
    }

    @Test
    void instrumentation() {
        List<String> texts =
                listing(new Instrumentation(1000, 0x123456789aL), Catalogue.pure(Op.ADD, NumericWidth.LONG));
        assertThat(texts)
                .containsSubsequence(
                        "ret",
                        "mov x14, #0x123456789a",
                        "ldxr x15, [x14]",
                        "add x15, x15, #0x1",
                        "stxr w16, x15, [x14]",
                        "cbnz w16, BACK",
                        "b BACK");
        assertThat(texts).filteredOn("mov x14, #0x3e8"::equals).hasSize(5);
        assertThat(texts).containsSubsequence("mov x14, #0x3e8", "sub x14, x14, #0x1", "cbnz x14, BACK");
    }
}
