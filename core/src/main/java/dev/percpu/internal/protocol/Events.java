package dev.percpu.internal.protocol;

import static java.lang.Double.doubleToRawLongBits;

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
import java.util.ArrayList;
import java.util.List;

/** Several updates of numbers in one call, each exact by itself. */
public interface Events {
    Events CURRENT = Backends.half(Events.class, Rseq::link, () -> OneByOne.CURRENT);

    /** The values that a call passes; unused ones are 0. */
    int FEWEST_VALUES = EventShape.FEWEST_VALUES;

    /** The values that a call passes if there are more than {@value #FEWEST_VALUES}. */
    int MOST_VALUES = EventShape.MOST_VALUES;

    /** The updates that an event has at most. */
    int MOST_UPDATES = EventShape.MOST_UPDATES;

    /** In place of the number of a value: none. */
    int NONE = EventShape.NONE;

    /**
     * One update of an event.
     *
     * @param step what it does
     * @param position of the number, or of an array's first element
     * @param constant what {@code step} may use in place of a value, or together with one
     */
    record Update(EventShape.Update step, long position, long constant) {
        /**
         * An addition to a number, or to an element of an array.
         *
         * @param element the number of the value that says which element it is, or {@link #NONE}
         * @param operand the number of the value that is added, or {@link #NONE} if the constant is
         */
        public static Update add(long position, int element, int operand, long constant) {
            return new Update(new EventShape.Update(Op.ADD, element, operand), position, constant);
        }

        /** The same update of an element of an array that begins at the position. */
        public Update atElement(int element) {
            return new Update(new EventShape.Update(step.op(), element, step.operand()), position, constant);
        }

        /** An addition to a {@code double} number that has a gate; of the constant, if no value is the operand. */
        public static Update addDouble(long position, int operand, double constant) {
            return new Update(
                    new EventShape.Update(Op.ADD_DOUBLE, NONE, operand), position, doubleToRawLongBits(constant));
        }

        /** The maximum, unsigned, of a number that has a gate and the bits in which a value differs from a constant. */
        public static Update max(long position, int operand, long constant) {
            return new Update(new EventShape.Update(Op.MAX, NONE, operand), position, constant);
        }
    }

    /** Makes a plan for the updates of one event: from one to {@value #MOST_UPDATES}. */
    static Plan plan(List<Update> updates) {
        // A loop: each lambda and stream would take the JVM a millisecond when the first event is built.
        List<EventShape.Update> steps = new ArrayList<>();
        long[] words = new long[updates.size() * EventShape.WORDS];
        for (Update update : updates) {
            words[steps.size() * EventShape.WORDS] = update.position;
            words[steps.size() * EventShape.WORDS + 1] = update.constant;
            steps.add(update.step);
        }
        return CURRENT.plan(new EventShape(steps), words);
    }

    /**
     * Makes a plan for a shape.
     *
     * @param words what {@link EventShape} says is in the table, with positions in place of addresses
     */
    Plan plan(EventShape shape, long[] words);

    /** Carries out a plan whose shape has at most {@value #FEWEST_VALUES} values. */
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
                            ^ (update.xorsConstant() ? constant : 0);
                }
                if (update.gated()) {
                    updateGated(update.op(), position, operand);
                } else {
                    numbers.add(position, operand);
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
            boolean done;
            if (op == Op.ADD_DOUBLE) {
                done = gated.addDouble(position, operand);
            } else {
                long old = numbers.read(position);
                done = op.applyTo(old, operand) == old || gated.compareAndSet(position, old, operand);
            }
            if (!done) {
                long _ = Numbers.updateAtomically(op, NumericWidth.LONG, Area.offset(Area.SPARE, position), operand);
            }
        }
    }
}
