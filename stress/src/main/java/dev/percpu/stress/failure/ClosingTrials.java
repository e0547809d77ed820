package dev.percpu.stress.failure;

import dev.percpu.DynamicNumeric;
import dev.percpu.PerCpuDouble;
import dev.percpu.PerCpuNumeric;
import dev.percpu.memory.NumericWidth;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Numbers are closed before they are unreachable. */
final class ClosingTrials {
    private ClosingTrials() {}

    static List<Operation> all() {
        return List.of(
                closing(
                        "number",
                        "DynamicNumeric.close()",
                        name -> PerCpuNumeric.create(name, NumericWidth.LONG, 0),
                        PerCpuNumeric::increment),
                closing(
                        "double",
                        "DynamicDouble.close()",
                        name -> PerCpuDouble.create(name, 0),
                        number -> number.add(1)));
    }

    private static <T extends AutoCloseable> Operation closing(
            String what, String method, Function<String, T> maker, Consumer<T> use) {
        return new Operation(what + " close", method, () -> new Closing<>(maker, use));
    }

    /** It is closed or not; and once it could be closed, it is not listed any more. */
    private static final class Closing<T extends AutoCloseable> extends Trial {
        /** Of this trial alone, as what an earlier one left is listed until it is collected. */
        private final String name = "closed in a trial " + System.identityHashCode(this);

        private final String nameBehind = "behind " + name;
        private final Function<String, T> maker;
        private final Consumer<T> use;
        private T open;

        /** Is made later, and so stands behind it in the listing. */
        private DynamicNumeric behind;

        Closing(Function<String, T> maker, Consumer<T> use) {
            this.maker = maker;
            this.use = use;
            this.open = maker.apply(name);
            this.behind = makeBehind();
        }

        @Override
        void prepare() throws Exception {
            open.close();
            open = maker.apply(name);
            behind.close();
            behind = makeBehind();
        }

        private DynamicNumeric makeBehind() {
            return PerCpuNumeric.create(nameBehind, NumericWidth.LONG, 0);
        }

        @Override
        void act() throws Exception {
            open.close();
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            boolean did = isClosed();
            check(did || thrown != null, "it is open");
            if (!did) {
                same("open ones that are listed", 1, listed(name));
            }
            other.run("closing again", () -> {
                open.close();
                check(isClosed(), "it is open after a second call");
                same("closed ones that are listed", 0, listed(name));
                same("others that are listed", 1, listed(nameBehind));
            });
            return did;
        }

        private boolean isClosed() {
            try {
                use.accept(open);
                return false;
            } catch (IllegalStateException closed) {
                return true;
            }
        }
    }
}
