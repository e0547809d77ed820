package dev.percpu.internal.code;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.linux.Architecture;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The emitted bytes, read by GNU objdump, for one architecture, on whatever machine. Every sequence must have the shape
 * that makes it exact; what its instructions are is for each architecture to say.
 */
@Tag("rseq")
@Tag("tools")
abstract class DisassemblyTest {
    /** What all numbers of have something else in: nothing here must depend on where things lie. */
    private static final SequenceLayout LAYOUT = new SequenceLayout(-0x720, 96, 24, 0x7f00_1234_0080L);

    private static final SequenceLayout OTHER_LAYOUT = new SequenceLayout(0x12_3458, 0x1_0001, 40, 0x5555_0000_0000L);

    private final Architecture architecture;
    private final int signature;

    DisassemblyTest(Architecture architecture, int signature) {
        this.architecture = architecture;
        this.signature = signature;
    }

    /** Whether the instruction writes to memory. */
    abstract boolean writesMemory(String text);

    /** Whether the instruction may be in a section: it has to be harmless to repeat, or be the commit. */
    abstract boolean mayBeInside(String text);

    /** The instructions with the numbers that depend on where things lie replaced by what they are. */
    abstract List<String> named(Listing listing, SequenceLayout layout);

    /** What points {@code rseq_cs} at the descriptor, in the words of {@link #named}. */
    abstract List<String> arming();

    /** What reads the CPU's id and bounds it. */
    abstract List<String> entering();

    @TestFactory
    Stream<DynamicTest> everySequenceHasOneStoreAndEndsWithIt() {
        Stream<DynamicTest> numbers = Stream.of(Op.values())
                .flatMap(op -> SequencesUnderTest.WIDTHS.stream()
                        .filter(bits -> SequencesUnderTest.exists(op, bits))
                        .flatMap(bits -> Stream.of(
                                shape("pure " + op + " " + bits, stores(op), s -> s.pure(op, bits)),
                                shape("guarded " + op + " " + bits, stores(op), s -> s.guarded(op, bits)))));
        Stream<DynamicTest> others = Stream.of(
                shape("acquire", 1, Sequence::acquire),
                shape("addTwo", 1, Sequence::addTwo),
                shape("addIfOpen", 1, Sequence::addIfOpen),
                shape("gated ADD", 1, s -> s.gated(Op.ADD)),
                shape("gated ADD_DOUBLE", 1, s -> s.gated(Op.ADD_DOUBLE)),
                shape("gated CMPXCHG", 1, s -> s.gated(Op.CMPXCHG)),
                // The item is stored above the count, where nobody looks, and the count is the commit.
                shape("push", 2, Sequence::push),
                shape("pop", 1, Sequence::pop));
        return Stream.concat(numbers, others);
    }

    private static int stores(Op op) {
        return op == Op.READ ? 0 : 1;
    }

    private DynamicTest shape(String name, int stores, SequencesUnderTest.Emission emission) {
        return DynamicTest.dynamicTest(name, () -> {
            checkShape(LAYOUT, Instrumentation.NONE, stores, emission);
            checkShape(OTHER_LAYOUT, Instrumentation.NONE, stores, emission);
            checkShape(LAYOUT, new Instrumentation(70_000, 0x1234_5678_9abcL), stores, emission);
        });
    }

    private void checkShape(
            SequenceLayout layout, Instrumentation instrumentation, int stores, SequencesUnderTest.Emission emission) {
        Listing listing = Listing.of(architecture, layout, instrumentation, emission);
        assertThat(listing.texts()).noneMatch(text -> text.matches(".*(\\(bad\\)|\\.inst|\\.word|undefined|udf).*"));
        assertThat(listing.sections()).isNotEmpty();
        for (Listing.Section section : listing.sections()) {
            checkSection(listing, section, stores);
        }
        checkArming(listing, layout);
        checkBranches(listing);
    }

    private void checkSection(Listing listing, Listing.Section section, int stores) {
        List<Listing.Instruction> inside = listing.within(section.start(), section.end());
        assertThat(inside.getFirst().address()).as("start").isEqualTo(section.start());
        assertThat(listing.instructions())
                .as("end")
                .extracting(Listing.Instruction::address)
                .contains(section.end());

        List<Listing.Instruction> stored =
                inside.stream().filter(i -> writesMemory(i.text())).toList();
        assertThat(stored).hasSize(stores);
        if (stores > 0) {
            assertThat(stored.getLast()).as("commit").isEqualTo(inside.getLast());
        }
        assertThat(inside).extracting(Listing.Instruction::text).allMatch(this::mayBeInside);

        // Outside the section, after the signature, and on the way back to the entry.
        assertThat(section.abort()).isGreaterThan(section.end());
        assertThat(listing.signature(section)).isEqualTo(signature);
        Listing.Instruction back = listing.instructions().stream()
                .filter(i -> i.address() >= section.abort() && i.isJump())
                .findFirst()
                .orElseThrow();
        assertThat(back.target()).as("start over").isEqualTo(section.entry());
    }

    /** The section starts right behind what arms it, with the CPU's id. */
    private void checkArming(Listing listing, SequenceLayout layout) {
        for (Listing.Section section : listing.sections()) {
            Listing armed =
                    new Listing(listing.code(), List.of(section), listing.within(section.entry(), section.start()));
            assertThat(named(armed, layout)).isEqualTo(arming());
        }
    }

    /**
     * No branch goes into a section: it would run the rest of it with what it read before an abort. (The delays' loops
     * do, one instruction back; they touch nothing.)
     */
    private static void checkBranches(Listing listing) {
        List<Long> addresses = listing.instructions().stream()
                .map(Listing.Instruction::address)
                .toList();
        for (int i = 0; i < addresses.size(); i++) {
            Listing.Instruction instruction = listing.instructions().get(i);
            if (instruction.isBranch() && (i == 0 || instruction.target() != addresses.get(i - 1))) {
                assertThat(addresses).as(instruction.text()).contains(instruction.target());
                assertThat(listing.sections())
                        .as(instruction.text())
                        .noneMatch(s -> instruction.target() >= s.start() && instruction.target() < s.end());
            }
        }
    }

    @Test
    void everySequenceReadsTheCpuAndBoundsItFirst() {
        for (SequencesUnderTest.Emission emission : List.<SequencesUnderTest.Emission>of(
                s -> s.pure(Op.ADD, 64), s -> s.guarded(Op.OR, 8), Sequence::acquire, Sequence::pop)) {
            assertThat(listing(emission).subList(0, arming().size() + entering().size()))
                    .isEqualTo(Stream.concat(arming().stream(), entering().stream())
                            .toList());
        }
    }

    /** The instructions of a sequence in the words of {@link #named}. */
    final List<String> listing(SequencesUnderTest.Emission emission) {
        return listing(Instrumentation.NONE, emission);
    }

    final List<String> listing(Instrumentation instrumentation, SequencesUnderTest.Emission emission) {
        return named(Listing.of(architecture, LAYOUT, instrumentation, emission), LAYOUT);
    }

    /** Replaces a branch's target by its direction. */
    static List<String> withDirections(List<Listing.Instruction> instructions) {
        List<String> texts = new ArrayList<>();
        for (Listing.Instruction instruction : instructions) {
            texts.add(
                    instruction.isBranch()
                            ? instruction
                                    .text()
                                    .replaceAll(
                                            "0x[0-9a-f]+$",
                                            instruction.target() < instruction.address() ? "BACK" : "FORWARD")
                            : instruction.text());
        }
        return texts;
    }
}
