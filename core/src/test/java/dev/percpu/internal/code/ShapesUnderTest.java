package dev.percpu.internal.code;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** Shapes for tests: each kind of update alone, and generated ones. */
public final class ShapesUnderTest {
    private static final List<Op> OPS =
            Stream.of(Op.values()).filter(Op::isOfEvents).toList();

    private ShapesUnderTest() {}

    /** Shapes of every kind of update alone, and of so many updates chosen at random. */
    public static List<EventShape> generated(long seed, int count) {
        List<EventShape> shapes = new ArrayList<>();
        for (Op op : OPS) {
            int element = op == Op.ADD ? 0 : EventShape.NONE;
            shapes.add(new EventShape(List.of(new EventShape.Update(op, element, EventShape.NONE))));
            shapes.add(new EventShape(List.of(new EventShape.Update(op, EventShape.NONE, 4))));
        }
        Random random = new Random(seed);
        for (int i = 0; i < count; i++) {
            // The last one is as long as one can be, and has every value.
            boolean isLast = i == count - 1;
            int length = isLast ? EventShape.MOST_UPDATES : random.nextInt(1, EventShape.MOST_UPDATES);
            int values = isLast ? EventShape.MOST_VALUES : random.nextInt(EventShape.MOST_VALUES + 1);
            List<EventShape.Update> updates = new ArrayList<>();
            for (int at = 0; at < length; at++) {
                updates.add(update(random, values));
            }
            shapes.add(new EventShape(updates));
        }
        return shapes;
    }

    private static EventShape.Update update(Random random, int values) {
        Op op = OPS.get(random.nextInt(OPS.size()));
        int element = op == Op.ADD && random.nextBoolean() ? value(random, values) : EventShape.NONE;
        return new EventShape.Update(op, element, value(random, values));
    }

    private static int value(Random random, int values) {
        return random.nextInt(values + 1) - 1;
    }
}
