package dev.percpu.stress.failure;

import dev.percpu.CheckedPerCpu;
import dev.percpu.CpuGuard;
import dev.percpu.DynamicPerCpu;
import dev.percpu.NumericCell;
import dev.percpu.PerCpuNumeric;
import dev.percpu.cell.RefCell;
import dev.percpu.memory.NumericWidth;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Tokens, and what they give access to. */
@SuppressWarnings("MustBeClosedChecker") // borrows are closed in another method
final class CellTrials {
    private CellTrials() {}

    static List<Operation> all() {
        return List.of(
                adding(
                        "token run",
                        List.of("PerCpu.getMut(CpuGuard)", "PerCpuToken.run(Consumer)"),
                        (cells, guard) -> cells.getMut(guard).run(cell -> cell.add(1))),
                adding(
                        "token with",
                        List.of("PerCpuToken.with(Function)"),
                        (cells, guard) -> ignore(cells.getMut(guard).with(cell -> cell.addAndGet(1)))),
                adding(
                        "checked token run",
                        List.of("CheckedPerCpu.get(CpuGuard)", "CheckedPerCpuToken.run(Consumer)"),
                        (cells, guard) -> CheckedPerCpu.of(cells).get(guard).run(cell -> cell.add(1))),
                adding(
                        "checked token with",
                        List.of("CheckedPerCpuToken.with(Function)"),
                        (cells, guard) ->
                                ignore(CheckedPerCpu.of(cells).get(guard).with(cell -> cell.addAndGet(1)))),
                adding(
                        "pointer getRef",
                        List.of("PerCpuPtr.getRef(CpuGuard)"),
                        (cells, guard) -> cells.ptr().getRef(guard).add(1)),
                adding(
                        "pointer getMutRef",
                        List.of("PerCpuPtr.getMutRef(CpuGuard)"),
                        (cells, guard) -> ignore(cells.ptr().getMutRef(guard).addAndGet(1))),
                new Operation("cell borrow", "RefCell.borrow()", () -> new Borrowing(RefCell::borrow)),
                new Operation("cell borrowMut", "RefCell.borrowMut()", () -> new Borrowing(RefCell::borrowMut)),
                new Operation("cell borrow's end", "RefCell.Ref.close()", Returning::new),
                new Operation("cell replace", "RefCell.replace(Object)", Replacing::new));
    }

    private static Operation adding(
            String name, List<String> methods, BiConsumer<DynamicPerCpu<NumericCell>, CpuGuard> addition) {
        return new Operation(name, methods, () -> new Guarded(new UnderGuard(addition)));
    }

    /** Adds to an instance under a guard, and closes the guard. If that fails, it can be repeated. */
    private static final class UnderGuard implements OtherThread.Action {
        private final BiConsumer<DynamicPerCpu<NumericCell>, CpuGuard> addition;
        private final DynamicPerCpu<NumericCell> cells = DynamicPerCpu.createNumeric(NumericWidth.LONG, 0);
        private @Nullable CpuGuard open;

        UnderGuard(BiConsumer<DynamicPerCpu<NumericCell>, CpuGuard> addition) {
            this.addition = addition;
        }

        @Override
        public void run() {
            CpuGuard guard = CpuGuard.acquire();
            open = guard;
            try {
                addition.accept(cells, guard);
            } finally {
                guard.close();
                open = null;
            }
        }

        void closeAgain() {
            CpuGuard left = open;
            open = null;
            if (left != null) {
                left.close();
            }
        }
    }

    private static final class Guarded extends Adding {
        private final UnderGuard addition;

        Guarded(UnderGuard addition) {
            super(addition, PerCpuNumeric.of(addition.cells)::sum);
            this.addition = addition;
        }

        @Override
        boolean verify(@Nullable Throwable thrown) {
            addition.closeAgain();
            return super.verify(thrown);
        }
    }

    private static void ignore(@SuppressWarnings("unused") long result) {}

    /** A borrow begins; if that fails, nothing is borrowed. */
    private static final class Borrowing extends Trial {
        private final RefCell<Object> cell = new RefCell<>("object");
        private final Function<RefCell<Object>, RefCell.Ref<Object>> borrowing;
        private RefCell.@Nullable Ref<Object> borrowed;

        Borrowing(Function<RefCell<Object>, RefCell.Ref<Object>> borrowing) {
            this.borrowing = borrowing;
        }

        @Override
        void act() {
            borrowed = borrowing.apply(cell);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) {
            RefCell.Ref<Object> had = borrowed;
            borrowed = null;
            if (had != null) {
                had.close();
            }
            check(had != null || thrown != null, "nothing was borrowed");
            // This throws if anything is borrowed.
            Object _ = cell.replace("object");
            return had != null;
        }
    }

    /** A borrow ends; if that fails, it can be repeated. */
    private static final class Returning extends Trial {
        private final RefCell<Object> cell = new RefCell<>("object");
        private RefCell.Ref<Object> borrowed = cell.borrow();

        @Override
        void prepare() {
            borrowed.close();
            borrowed = cell.borrow();
        }

        @Override
        void act() {
            borrowed.close();
        }

        @Override
        boolean verify(@Nullable Throwable thrown) {
            boolean did = isFree();
            check(did || thrown != null, "it is borrowed");
            borrowed.close();
            check(isFree(), "it is borrowed after a second call");
            return did;
        }

        private boolean isFree() {
            try {
                Object _ = cell.replace("object");
                return true;
            } catch (IllegalStateException stillBorrowed) {
                return false;
            }
        }
    }

    /** Another object is put into a cell. */
    private static final class Replacing extends Trial {
        private static final String FIRST = "first";
        private static final String SECOND = "second";

        private final RefCell<String> cell = new RefCell<>(FIRST);
        private @Nullable String old;

        @Override
        void prepare() {
            String _ = cell.replace(FIRST);
            old = null;
        }

        @Override
        void act() {
            old = cell.replace(SECOND);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) {
            boolean did = cell.replace(FIRST).equals(SECOND);
            check(did || thrown != null, "it was not replaced");
            check(did == FIRST.equals(old), "the object that was replaced was not returned");
            return did;
        }
    }
}
