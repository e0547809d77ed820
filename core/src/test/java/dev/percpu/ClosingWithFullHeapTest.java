package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.cpu.CpuMask;
import dev.percpu.testing.FilledHeap;
import dev.percpu.testing.Jvm;
import java.lang.foreign.ValueLayout;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Instances are closed once each, also if the heap is full meanwhile. */
class ClosingWithFullHeapTest {
    private static final FilledHeap HEAP = new FilledHeap();

    private static Jvm jvm() {
        // Without buffers for threads there is one end of the heap, so it can be filled exactly.
        return Jvm.asHere().option("-Xmx16m").option("-XX:-UseTLAB");
    }

    @Test
    void theFirstFailureIsThrownAndNoInstanceIsClosedTwice() {
        assertThat(jvm().outputOf(FailingClose.class).lines())
                .containsExactly("threw the first failure: true", "closed once each: true", "closed once each: true");
    }

    /** After the factory has returned an instance, and until the variable is listed, little may need memory. */
    @Test
    void whatWasMadeForAVariableThatCannotBeIsClosed() {
        assertThat(jvm().outputOf(FailingCreation.class).lines())
                .containsExactly(
                        "some could not be made: true",
                        "all could in the end: true",
                        "closed once each: true",
                        "some could not be made: true",
                        "all could in the end: true",
                        "closed once each: true");
    }

    /** An instance that counts how often it is closed. */
    private static final class Counted implements AutoCloseable {
        private static final Counted[] ALL = new Counted[1 << 16];
        private static int count;

        private final RuntimeException failure = new IllegalStateException("for the test");
        private final boolean fails;
        private int closed;

        private Counted(boolean fails) {
            this.fails = fails;
            ALL[count++] = this;
        }

        @Override
        public void close() {
            closed++;
            if (fails) {
                HEAP.fill(0, 0);
                throw failure;
            }
        }

        private static void tell() {
            boolean once = true;
            for (int i = 0; i < count; i++) {
                once &= ALL[i].closed == 1;
            }
            System.out.println("closed once each: " + once);
        }
    }

    /** Runs in a JVM of its own. */
    static final class FailingClose {
        private FailingClose() {}

        public static void main(String[] arguments) {
            // Each handler's first use takes memory.
            Throwable _ = thrownByClosing(DynamicPerCpu.createFrom(_ -> new Failing()));
            DynamicPerCpu<Counted> variable = DynamicPerCpu.createFrom(_ -> new Counted(true));
            Throwable thrown = thrownByClosing(variable);
            HEAP.empty();
            System.out.println("threw the first failure: " + Counted.ALL[0].failure.equals(thrown));
            Counted.tell();
            variable.close();
            Counted.tell();
        }

        private static @Nullable Throwable thrownByClosing(DynamicPerCpu<?> variable) {
            try {
                variable.close();
                return null;
            } catch (Throwable t) {
                return t;
            }
        }
    }

    private static final class Failing implements AutoCloseable {
        @Override
        public void close() {
            throw new IllegalStateException("for the test");
        }
    }

    /** Runs in a JVM of its own. */
    static final class FailingCreation {
        private static final int MOST_ROOM = 1 << 12;
        private static final int STEP = 16;

        /** So many in a row show that there is room enough. */
        private static final int ENOUGH = 4;

        private FailingCreation() {}

        public static void main(String[] arguments) {
            make(FailingCreation::objects);
            make(FailingCreation::views);
        }

        private static void make(Function<Supplier<Counted>, DynamicPerCpu<Counted>> maker) {
            // The first use of a class or of a handler takes more memory than there will be.
            maker.apply(() -> new Counted(false)).close();
            boolean _ = makes(maker, 0);
            int failed = 0;
            int passed = 0;
            for (int room = 0; passed < ENOUGH && room < MOST_ROOM; room += STEP) {
                if (makes(maker, room)) {
                    passed++;
                } else {
                    passed = 0;
                    failed++;
                }
            }
            System.out.println("some could not be made: " + (failed > 0));
            System.out.println("all could in the end: " + (passed == ENOUGH));
            Counted.tell();
        }

        private static DynamicPerCpu<Counted> objects(Supplier<Counted> instances) {
            return DynamicPerCpu.createWith("objects", instances);
        }

        private static DynamicPerCpu<Counted> views(Supplier<Counted> instances) {
            return DynamicPerCpu.createZero("views", ValueLayout.JAVA_LONG, _ -> instances.get());
        }

        /** Fills the heap, except for a few bytes, when the last instance is made. */
        private static boolean makes(Function<Supplier<Counted>, DynamicPerCpu<Counted>> maker, int room) {
            int last = Counted.count + CpuMask.possible().weight();
            try {
                DynamicPerCpu<Counted> variable = maker.apply(() -> {
                    Counted counted = new Counted(false);
                    if (Counted.count == last) {
                        HEAP.fill(room, 0);
                    }
                    return counted;
                });
                HEAP.empty();
                variable.close();
                return true;
            } catch (OutOfMemoryError full) {
                HEAP.empty();
                return false;
            }
        }
    }
}
