package dev.percpu.internal.code;

import java.util.ArrayList;
import java.util.List;

/**
 * What one event does to several numbers: which operations, in which order, with which of the call's values. Where the
 * numbers lie is not part of the shape, so events of one shape share their code. A shape is a {@link Sequence} that is
 * composed when somebody needs it, and not an entry of the {@link Catalogue}.
 *
 * <p>It is called with the address of a table and with {@value #FEWEST_VALUES} or {@value #MOST_VALUES} values, and has
 * a section for each update. The table has two words for each update: the address of CPU 0's instance, and a constant.
 * So no address is compiled in, and the code has the constants of no event.
 *
 * <pre>
 *   keep the table and the values where no step changes them
 *   for each update:
 *       slot    = table[2 i] (+ 8 * a value, for an element)
 *       operand = table[2 i + 1], or a value, or the bits in which they differ
 *       section: CPU, bound, gate if there is one, load, compute, commit
 *       (a thread without a CPU id, or that finds the gate shut, updates the spare slot instead, atomically)
 * </pre>
 *
 * <p>Each section is exact by itself: if the kernel aborts it, it alone starts over, with the slot and the operand that
 * were loaded before it. Between two sections the thread may move to another CPU. No section is refused: where a single
 * update of a gated number would tell its caller to go to the spare slot, the code here goes there by itself.
 */
public final class EventShape {
    /** The values that each call passes; unused ones are 0. */
    public static final int FEWEST_VALUES = 3;

    /** The values that a call passes if there are more than {@value #FEWEST_VALUES}. */
    public static final int MOST_VALUES = 5;

    /** The updates that an event has at most: {@code Sequences} has room for the code of so many. */
    public static final int MOST_UPDATES = 16;

    /** The words that each update has in the table. */
    public static final int WORDS = 2;

    /** In place of the number of a value: none. */
    public static final int NONE = -1;

    private final List<Update> updates;
    private final Sequence sequence;

    /**
     * @param updates at least one
     */
    public EventShape(List<Update> updates) {
        if (updates.isEmpty()) {
            throw new IllegalArgumentException("an event updates something");
        }
        this.updates = List.copyOf(updates);
        // A loop: each lambda and stream would take the JVM a millisecond when the first event is built.
        int greatestValue = NONE;
        StringBuilder name = new StringBuilder();
        for (Update update : updates) {
            greatestValue = Math.max(greatestValue, update.greatestValue());
            name.append(name.isEmpty() ? "event: " : ", ").append(update);
        }
        int passed = greatestValue < FEWEST_VALUES ? FEWEST_VALUES : MOST_VALUES;
        this.sequence = new Sequence(name.toString(), 1 + passed, this.updates.size(), 1, this::emit);
    }

    /**
     * One update of a number of 64 bits.
     *
     * @param op one that {@linkplain Op#isOfEvents events have}
     * @param element the number of the value that says which element of an array it is, or {@link #NONE}. Only an
     *     addition can have one: arrays have no gates
     * @param operand the number of the value that is the operand, or {@link #NONE} if the constant is
     */
    public record Update(Op op, int element, int operand) {
        public Update {
            if (!op.isOfEvents()) {
                throw new IllegalArgumentException("no event has the operation " + op);
            }
            if (op != Op.ADD && element != NONE) {
                throw new IllegalArgumentException("no array has elements for the operation " + op);
            }
            if (element >= MOST_VALUES || operand >= MOST_VALUES) {
                throw new IllegalArgumentException("a call passes " + MOST_VALUES + " values at most");
            }
        }

        /** Whether the number has a gate. If that is shut, the update goes to the spare slot. */
        public boolean gated() {
            return op != Op.ADD;
        }

        /**
         * Whether an operand that is a value is xored with the constant, which gives the bits in which the two differ.
         */
        public boolean xorsConstant() {
            return op == Op.MAX;
        }

        private int greatestValue() {
            return Math.max(element, operand);
        }

        /** The same text for the same update, and another one for another. */
        @Override
        public String toString() {
            StringBuilder text = new StringBuilder(op.name());
            if (element != NONE) {
                text.append(" of element ").append(element);
            }
            if (operand != NONE) {
                text.append(" by ").append(operand);
            }
            return text.toString();
        }
    }

    /** The updates in their order. */
    public List<Update> updates() {
        return updates;
    }

    /** The sequence, whose name is the same for equal shapes, and different for others. */
    public Sequence sequence() {
        return sequence;
    }

    @Override
    public String toString() {
        return sequence.name();
    }

    private long emit(Section first) {
        Assembler assembler = first.assembler();
        CodeBuffer code = first.code();
        List<Section> sections = new ArrayList<>(List.of(first));
        while (sections.size() < updates.size()) {
            sections.add(first.another());
        }
        sections.forEach(Section::describe);
        var start = new CodeBuffer.Label();
        code.place(start);
        assembler.keepValues(sequence.arguments() - 1);
        List<CodeBuffer.Label> ends = new ArrayList<>();
        for (int i = 0; i < updates.size(); i++) {
            Update update = updates.get(i);
            Section section = sections.get(i);
            prepare(assembler, i);
            var spare = new CodeBuffer.Label();
            section.enter(spare);
            section.scaleCpu();
            if (update.gated()) {
                section.lookAtGate(spare);
            }
            section.updateOnly(update.op());
            section.committed();
            var end = new CodeBuffer.Label();
            code.place(end);
            ends.add(end);
        }
        assembler.returnValue();
        for (int i = 0; i < updates.size(); i++) {
            Section section = sections.get(i);
            section.elsewhere();
            section.updateAtomically(updates.get(i).op(), Long.SIZE);
            assembler.jump(ends.get(i));
            long _ = section.finish();
        }
        return code.addressOf(start);
    }

    /** Loads what the update needs. */
    private void prepare(Assembler assembler, int index) {
        Update update = updates.get(index);
        assembler.loadSlot(index * WORDS);
        if (update.element() != NONE) {
            assembler.addToSlot(update.element());
        }
        int constant = index * WORDS + 1;
        if (update.operand() == NONE) {
            assembler.loadOperand(constant);
        } else {
            assembler.setOperand(update.operand());
            if (update.xorsConstant()) {
                assembler.xorOperand(constant);
            }
        }
    }
}
