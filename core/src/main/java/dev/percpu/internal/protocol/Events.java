package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.backend.LinkedSequence;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.code.EventShape;
import dev.percpu.internal.code.Op;
import dev.percpu.memory.NumericWidth;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Several updates of numbers in one call, each exact by itself. */
public interface Events {
    Events CURRENT = Backends.half(Events.class, Rseq::link, () -> OneByOne.CURRENT);

    /**
     * Makes a plan for the updates of one event.
     *
     * @param words what {@link EventShape} says is in the table, with positions in place of addresses
     */
    Plan plan(EventShape shape, long[] words);

    /** Carries out a plan whose shape has at most {@value EventShape#FEWEST_VALUES} values. */
    void update(Plan plan, long first, long second, long third);

    /** Carries out a plan; unused values are 0. */
    void update(Plan plan, long first, long second, long third, long fourth, long fifth);

    /**
     * What one event does, and to which numbers. The table's memory is given back when its segment, and so the plan, is
     * unreachable. A caller of {@link #update} keeps the plan reachable until the call returns.
     *
     * @param shape which operations
     * @param table the table of {@link EventShape}, off the heap, where code can read it
     * @param address the table's address
     * @param code the address of the shape's code; {@link MemorySegment#NULL} if it has none
     */
    record Plan(EventShape shape, MemorySegment table, long address, MemorySegment code) {
        private static Plan of(EventShape shape, long[] words, MemorySegment code) {
            MemorySegment table = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG, words.length);
            for (int word = 0; word < words.length; word++) {
                boolean isSlot = word % EventShape.WORDS == 0;
                table.setAtIndex(ValueLayout.JAVA_LONG, word, isSlot ? Area.BASE + words[word] : words[word]);
            }
            return new Plan(shape, table, table.address(), code);
        }

        private long word(int index) {
            return table.getAtIndex(ValueLayout.JAVA_LONG, index);
        }
    }

    /** With a sequence for each shape. */
    record Rseq(Sequences sequences) implements Events {
        public static Rseq link(Sequences sequences) {
            return new Rseq(sequences);
        }

        @Override
        public Plan plan(EventShape shape, long[] words) {
            return Plan.of(shape, words, sequences.link(shape));
        }

        @Override
        public void update(Plan plan, long first, long second, long third) {
            if (plan.code.address() == 0) {
                OneByOne.CURRENT.update(plan, first, second, third);
                return;
            }
            long _ = LinkedSequence.callEvent(plan.code, plan.address, first, second, third);
        }

        @Override
        public void update(Plan plan, long first, long second, long third, long fourth, long fifth) {
            if (plan.code.address() == 0) {
                OneByOne.CURRENT.update(plan, first, second, third, fourth, fifth);
                return;
            }
            long _ = LinkedSequence.callEvent(plan.code, plan.address, first, second, third, fourth, fifth);
        }
    }

    /**
     * With one update after the other, as if each had been called alone. The atomic back end does that. So does the
     * other one for a shape without code.
     */
    record OneByOne(Numbers numbers, GatedNumbers gated) implements Events {
        static final OneByOne CURRENT = new OneByOne(Numbers.CURRENT, GatedNumbers.CURRENT);

        @Override
        public Plan plan(EventShape shape, long[] words) {
            return Plan.of(shape, words, MemorySegment.NULL);
        }

        @Override
        public void update(Plan plan, long first, long second, long third) {
            update(plan, first, second, third, 0, 0);
        }

        @Override
        public void update(Plan plan, long first, long second, long third, long fourth, long fifth) {
            int word = 0;
            for (EventShape.Update update : plan.shape.updates()) {
                long position = plan.word(word) - Area.BASE;
                long constant = plan.word(word + 1);
                if (update.element() != EventShape.NONE) {
                    position += value(update.element(), first, second, third, fourth, fifth) * Long.BYTES;
                }
                long operand = constant;
                if (update.operand() != EventShape.NONE) {
                    operand = value(update.operand(), first, second, third, fourth, fifth)
                            ^ (update.differs() ? constant : 0);
                }
                if (update.gated()) {
                    updateGated(update.op(), position, operand);
                } else {
                    long _ = numbers.update(update.op(), NumericWidth.LONG, position, operand, 0);
                }
                word += EventShape.WORDS;
            }
        }

        private static long value(int number, long first, long second, long third, long fourth, long fifth) {
            return switch (number) {
                case 0 -> first;
                case 1 -> second;
                case 2 -> third;
                case 3 -> fourth;
                default -> fifth;
            };
        }

        private void updateGated(Op op, long position, long operand) {
            boolean done = switch (op) {
                case ADD_DOUBLE -> gated.addDouble(position, operand);
                case MAX -> {
                    long old = numbers.read(position);
                    yield op.applyTo(old, operand) == old || gated.compareAndSet(position, old, operand);
                }
                default -> throw new IllegalArgumentException(op + " of a number with a gate is no update");
            };
            if (!done) {
                long _ = Numbers.updateAtomically(op, NumericWidth.LONG, Area.offset(Area.SPARE, position), operand);
            }
        }
    }
}
