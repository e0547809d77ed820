package dev.percpu.stress.failure;

import dev.percpu.PerCpuDouble;
import dev.percpu.PerCpuNumeric;
import dev.percpu.StaticPerCpu;
import dev.percpu.cell.Opaque;
import dev.percpu.memory.NumericWidth;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Variables that live as long as the process are defined. */
final class StaticTrials {
    private static final MemorySegment INITIAL = MemorySegment.ofArray(new long[] {5});

    private StaticTrials() {}

    static List<Operation> all() {
        return List.of(
                defining(
                        "number",
                        "PerCpuNumeric.define(String, NumericWidth, long)",
                        name -> PerCpuNumeric.define(name, NumericWidth.LONG, 5)),
                defining("double", "PerCpuDouble.define(String, double)", name -> PerCpuDouble.define(name, 5)),
                defining(
                        "guarded number",
                        "StaticPerCpu.defineNumeric(String, NumericWidth, long)",
                        name -> StaticPerCpu.defineNumeric(name, NumericWidth.LONG, 5)),
                defining(
                        "objects",
                        "StaticPerCpu.define(String, Supplier)",
                        name -> StaticPerCpu.define(name, Object::new)),
                defining(
                        "memory",
                        "StaticPerCpu.define(String, MemoryLayout)",
                        name -> StaticPerCpu.define(name, ValueLayout.JAVA_LONG)),
                definingViews(
                        "views of memory",
                        "StaticPerCpu.define(String, MemoryLayout, Function)",
                        name -> StaticPerCpu.define(name, ValueLayout.JAVA_LONG, Opaque::new)),
                definingViews(
                        "views of filled memory",
                        "StaticPerCpu.define(String, MemoryLayout, Function, MemorySegment)",
                        name -> StaticPerCpu.define(name, ValueLayout.JAVA_LONG, Opaque::new, INITIAL)));
    }

    private static Operation defining(String what, String method, Function<String, Object> definition) {
        return new Operation("define " + what, method, () -> new Defining(true, definition));
    }

    /** As its documentation says, memory that a view may have been made of does not come back. */
    private static Operation definingViews(String what, String method, Function<String, Object> definition) {
        return new Operation("define " + what, method, () -> new Defining(false, definition));
    }

    /** It is defined and listed, or neither, and then its memory comes back. */
    private static final class Defining extends Trial {
        /** A collection takes milliseconds. What is lost in each round is missed in any later one. */
        private static final int ROUNDS_PER_LOOK = 8;

        private final boolean givesBack;
        private final Function<String, Object> definition;
        private int rounds;
        private int defined;
        private String name = "";
        private @Nullable Object variable;

        /** What was in use at first. */
        private @Nullable UsedArea before;

        Defining(boolean givesBack, Function<String, Object> definition) {
            this.givesBack = givesBack;
            this.definition = definition;
        }

        @Override
        void prepare() throws Exception {
            if (before == null) {
                before = other.call("looking at the area", UsedArea::now);
            }
            variable = null;
            rounds++;
            name = "defined in trial " + System.identityHashCode(this) + ", " + rounds;
        }

        @Override
        void act() {
            variable = definition.apply(name);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            boolean did = variable != null;
            check(did || thrown != null, "nothing was defined");
            defined += did ? 1 : 0;
            other.run("looking at the listing", () -> {
                same("variables that are listed", did ? 1 : 0, listed(name));
                if (givesBack && rounds % ROUNDS_PER_LOOK == 0) {
                    Objects.requireNonNull(before).checkNothingIsLost((long) defined * Long.BYTES);
                }
            });
            return did;
        }
    }
}
