package dev.percpu.internal.code;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.linux.Architecture;
import dev.percpu.memory.NumericWidth;
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
    /** Two layouts that differ in every number, since no shape may depend on where things lie. */
    private static final SequenceLayout LAYOUT = new SequenceLayout(-0x720, 96, 24, 0x7f00_1234_0080L, 0x6f12_0000L);

    private static final SequenceLayout OTHER_LAYOUT =
            new SequenceLayout(0x12_3458, 0x1_0001, 40, 0x5555_0000_0000L, 0x1234_5678_0000L);

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
        return Catalogue.entries().stream()
                .filter(sequence -> sequence.sections() > 0)
                .map(sequence -> DynamicTest.dynamicTest(sequence.name(), () -> {
                    checkShape(LAYOUT, Instrumentation.NONE, sequence);
                    checkShape(OTHER_LAYOUT, Instrumentation.NONE, sequence);
                    checkShape(LAYOUT, new Instrumentation(70_000, 0x1234_5678_9abcL), sequence);
                }));
    }

    /** The same for what events have: each section of each shape. */
    @TestFactory
    Stream<DynamicTest> everySectionOfAnEventHasOneStoreAndEndsWithIt() {
        return ShapesUnderTest.generated(17, 8).stream()
                .map(shape -> DynamicTest.dynamicTest(shape.toString(), () -> {
                    checkShape(LAYOUT, Instrumentation.NONE, shape.sequence());
                    checkShape(OTHER_LAYOUT, new Instrumentation(70_000, 0x1234_5678_9abcL), shape.sequence());
                    assertThat(shape.sequence().sections())
                            .isEqualTo(shape.updates().size());
                }));
    }

    /** A shape that is one maximum. */
    static Sequence maximum() {
        return new EventShape(List.of(new EventShape.Update(Op.MAX, EventShape.NONE, EventShape.NONE))).sequence();
    }

    /** A shape that has each step of a shape. */
    static Sequence event() {
        return new EventShape(List.of(
                        new EventShape.Update(Op.ADD, EventShape.NONE, EventShape.NONE),
                        new EventShape.Update(Op.ADD, 3, 1),
                        new EventShape.Update(Op.ADD_DOUBLE, EventShape.NONE, 4),
                        new EventShape.Update(Op.MAX, EventShape.NONE, 0)))
                .sequence();
    }

    /** The item is stored above the count, where nobody looks, and the count is the commit. */
    @Test
    void onlyAPushMayHaveAStoreBeforeItsCommit() {
        assertThat(Catalogue.entries())
                .filteredOn(sequence -> sequence.stores() > 1)
                .containsExactly(Catalogue.PUSH);
    }

    @Test
    void whatHasNoSectionWritesNothing() {
        assertThat(Catalogue.entries())
                .filteredOn(sequence -> sequence.sections() == 0)
                .isNotEmpty()
                .allSatisfy(sequence -> {
                    Listing listing = Listing.of(architecture, LAYOUT, Instrumentation.NONE, sequence);
                    assertThat(listing.sections()).isEmpty();
                    assertThat(listing.texts()).noneMatch(this::writesMemory).isNotEmpty();
                });
    }

    private void checkShape(SequenceLayout layout, Instrumentation instrumentation, Sequence sequence) {
        Listing listing = Listing.of(architecture, layout, instrumentation, sequence);
        assertThat(listing.texts()).noneMatch(text -> text.matches(".*(\\(bad\\)|\\.inst|\\.word|undefined|udf).*"));
        assertThat(listing.sections()).hasSize(sequence.sections());
        for (Listing.Section section : listing.sections()) {
            checkSection(listing, section, sequence.stores());
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

        // Outside the section, after the signature.
        assertThat(section.abort()).isGreaterThan(section.end());
        assertThat(listing.signature(section)).isEqualTo(signature);
    }

    /** An aborted section starts over with what arms it, and right behind that lies its start. */
    private void checkArming(Listing listing, SequenceLayout layout) {
        for (Listing.Section section : listing.sections()) {
            Listing armed = new Listing(
                    listing.code(), List.of(section), listing.within(listing.entry(section), section.start()));
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
        for (Sequence sequence : List.of(
                Catalogue.pure(Op.ADD, NumericWidth.LONG),
                Catalogue.guarded(Op.OR, NumericWidth.BYTE),
                Catalogue.ACQUIRE,
                Catalogue.POP)) {
            assertThat(listing(sequence).subList(0, arming().size() + entering().size()))
                    .isEqualTo(Stream.concat(arming().stream(), entering().stream())
                            .toList());
        }
    }

    /** The instructions of a sequence in the words of {@link #named}. */
    final List<String> listing(Sequence sequence) {
        return listing(Instrumentation.NONE, sequence);
    }

    final List<String> listing(Instrumentation instrumentation, Sequence sequence) {
        return named(Listing.of(architecture, LAYOUT, instrumentation, sequence), LAYOUT);
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
