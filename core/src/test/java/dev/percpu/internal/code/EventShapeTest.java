package dev.percpu.internal.code;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.percpu.OnCpu;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.Topology;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the code of each shape does to memory is what its updates do in Java. */
@Tag("rseq")
class EventShapeTest {
    private static final MethodHandle CALL = Linux.bindVirtual(
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));

    private static final int CPU = Topology.usable().nextSetBit(0);
    private static final int ROUNDS = 20;

    /** Each update has so many numbers for itself: an element is one of them, and a gate the second. */
    private static final int NUMBERS = 4;

    private static final int WORDS = EventShape.MOST_UPDATES * NUMBERS;

    private final long position = Area.allocate(WORDS * (long) Long.BYTES, Long.BYTES, "EventShapeTest");
    private final Random random = new Random(11);

    @Test
    void onTheCurrentCpu() {
        compareWithJava(SequencesUnderTest.layout(), CPU, false);
    }

    /** Then the spare place of the layout is the first place of the area. */
    @Test
    void withoutACpu() {
        compareWithJava(SequencesUnderTest.layoutFor(0), 0, false);
    }

    /** What has a gate goes to the spare slot, and what has none does not. */
    @Test
    void whileTheGatesAreShut() {
        compareWithJava(SequencesUnderTest.layout(), CPU, true);
    }

    @Test
    void equalShapesHaveEqualNamesAndOthersHaveNot() {
        List<String> names = ShapesUnderTest.generated(7, 200).stream()
                .map(EventShape::toString)
                .distinct()
                .toList();
        List<List<EventShape.Update>> updates = ShapesUnderTest.generated(7, 200).stream()
                .map(EventShape::updates)
                .distinct()
                .toList();
        assertThat(names).hasSameSizeAs(updates).hasSizeGreaterThan(150);
    }

    @Test
    void whatIsNoShape() {
        assertThatIllegalArgumentException().isThrownBy(() -> new EventShape(List.of()));
        assertThatIllegalArgumentException().isThrownBy(() -> new EventShape.Update(Op.CMPXCHG, EventShape.NONE, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new EventShape.Update(Op.MAX, 0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new EventShape.Update(Op.ADD, EventShape.NONE, 5));
    }

    private void compareWithJava(SequenceLayout layout, int place, boolean shut) {
        int spare = layout.cpus() == 0 ? 0 : Area.SPARE;
        OnCpu.run(CPU, () -> {
            for (EventShape shape : ShapesUnderTest.generated(3, 40)) {
                Sequence sequence = shape.sequence();
                MemorySegment entry = CodeMapping.emit(16384, layout, Instrumentation.NONE, List.of(sequence))
                        .entryOf(sequence);
                for (int round = 0; round < ROUNDS; round++) {
                    compareWithJava(shape, entry, place, spare, shut);
                }
            }
        });
    }

    private void compareWithJava(EventShape shape, MemorySegment entry, int place, int spare, boolean shut) {
        List<EventShape.Update> updates = shape.updates();
        long[] values = random.longs(EventShape.MOST_VALUES).toArray();
        long[] words = random.longs((long) updates.size() * EventShape.WORDS).toArray();
        for (int at = 0; at < WORDS; at++) {
            set(place, at, random.nextLong());
            set(spare, at, random.nextLong());
        }
        for (int i = 0; i < updates.size(); i++) {
            words[i * EventShape.WORDS] = Area.BASE + position + (long) i * NUMBERS * Long.BYTES;
            EventShape.Update update = updates.get(i);
            if (update.element() != EventShape.NONE) {
                values[update.element()] = random.nextInt(NUMBERS);
            } else if (update.gated()) {
                long gate = shut ? 1L << random.nextInt(Long.SIZE) : 0;
                Area.LONG.setVolatile(Area.MEMORY, Area.gate(position + (long) i * NUMBERS * Long.BYTES), gate);
            }
        }

        long[] expected = memory(place);
        long[] expectedSpare = spare == place ? expected : memory(spare);
        for (int i = 0; i < updates.size(); i++) {
            EventShape.Update update = updates.get(i);
            int number = i * NUMBERS + (update.element() == EventShape.NONE ? 0 : (int) values[update.element()]);
            long constant = words[i * EventShape.WORDS + 1];
            long operand = update.operand() == EventShape.NONE
                    ? constant
                    : values[update.operand()] ^ (update.xorsConstant() ? constant : 0);
            long[] changed = update.gated() && shut ? expectedSpare : expected;
            changed[number] = update.op().applyTo(changed[number], operand);
        }

        call(entry, words, values);
        assertThat(memory(place)).as(shape.toString()).isEqualTo(expected);
        assertThat(memory(spare)).as("spare place, " + shape).isEqualTo(expectedSpare);
    }

    private static void call(MemorySegment entry, long[] words, long[] values) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment table = arena.allocateFrom(JAVA_LONG, words);
            long _ = (long)
                    CALL.invokeExact(entry, table.address(), values[0], values[1], values[2], values[3], values[4]);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    private void set(int place, int word, long value) {
        Area.LONG.set(Area.MEMORY, Area.offset(place, position + (long) word * Long.BYTES), value);
    }

    private long[] memory(int place) {
        long[] memory = new long[WORDS];
        for (int word = 0; word < WORDS; word++) {
            memory[word] = (long) Area.LONG.get(Area.MEMORY, Area.offset(place, position + (long) word * Long.BYTES));
        }
        return memory;
    }
}
