package dev.percpu.stress.failure;

import dev.percpu.CpuGuard;
import dev.percpu.DynamicPerCpu;
import dev.percpu.NumericCell;
import dev.percpu.PerCpuNumeric;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.memory.NumericWidth;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Variables: making, sharing and closing them, access to their instances, and tasks on each CPU. */
final class VariableTrials {
    private static final int INSTANCES = CpuMask.possible().weight();

    private static final long LONG_SECONDS = 100;

    private VariableTrials() {}

    static List<Operation> all() {
        List<Operation> all = new ArrayList<>();
        all.add(new Operation(
                        "variable run", "PerCpu.run(Consumer)", () -> new Changing(cells -> cells.run(Cell::increment)))
                .also(Variant.VIRTUAL));
        all.add(new Operation(
                "variable with",
                "PerCpu.with(Function)",
                () -> new Changing(cells -> {
                    Cell _ = cells.with(Cell::incremented);
                })));
        all.add(new Operation(
                "variable replace",
                List.of("PerCpu.getMut(CpuGuard)", "PerCpuToken.replace(Object)", "PerCpuToken.with(Function)"),
                () -> new Changing(cells -> {
                    try (CpuGuard guard = CpuGuard.acquire()) {
                        var token = cells.getMut(guard);
                        Cell _ = token.replace(new Cell(token.with(cell -> cell.value) + 1));
                    }
                })));
        all.add(new Operation(
                "variable forEachCpu",
                "PerCpu.forEachCpu(BiConsumer)",
                () -> new EachInstance(cells -> cells.forEachCpu((_, cell) -> cell.increment()))));
        all.add(new Operation(
                "variable timed forEachCpu",
                "PerCpu.forEachCpu(long, TimeUnit, BiConsumer)",
                () -> new EachInstance(cells -> {
                    CpuMask done = cells.forEachCpu(LONG_SECONDS, TimeUnit.SECONDS, (_, cell) -> cell.increment());
                    Trial.check(done.equals(CpuMask.possible()), "left out: only " + done);
                })));
        all.add(new Operation(
                "guarded number add", "PerCpuNumeric.add(long)", () -> new Guarded(false, number -> number.add(1))));
        all.add(new Operation(
                "guarded number addAndGet",
                "PerCpuNumeric.addAndGet(long)",
                () -> new Guarded(false, number -> {
                    long _ = number.addAndGet(1);
                })));
        all.add(new Operation(
                        "guarded number add, waiting",
                        "PerCpuNumeric.add(long)",
                        () -> new Guarded(true, number -> number.add(1)))
                .thatWaits());
        all.add(new Operation("variable createWith", "DynamicPerCpu.createWith(Supplier)", Making::new));
        all.add(new Operation("variable share", "DynamicPerCpu.share()", Sharing::new));
        all.add(new Operation("variable close", "DynamicPerCpu.close()", Closing::new));
        all.add(new Operation("onEachCpu", "CpuId.onEachCpu(Consumer)", EachCpu::new));
        return all;
    }

    /** An instance that counts. */
    private static class Cell {
        int value;

        Cell(int value) {
            this.value = value;
        }

        void increment() {
            value++;
        }

        Cell incremented() {
            value++;
            return this;
        }
    }

    /** An instance that can be closed once. Together they count how many of them are open. */
    private static final class Counted implements AutoCloseable {
        private final int[] open;
        private boolean closed;

        Counted(int[] open) {
            this.open = open;
            open[0]++;
        }

        @Override
        public void close() {
            Trial.check(!closed, "an instance was closed twice");
            closed = true;
            open[0]--;
        }
    }

    /** Increments the instance of each CPU. */
    private interface Loop {
        void over(DynamicPerCpu<Cell> cells) throws InterruptedException;
    }

    private static int[] values(OtherThread other, DynamicPerCpu<Cell> cells) throws Exception {
        return other.call("reading each CPU's instance", () -> {
            int[] values = new int[CpuMask.capacity()];
            cells.forEachCpu((cpu, cell) -> values[cpu.id()] = cell.value);
            return values;
        });
    }

    /** A change of the current CPU's instance. */
    private static final class Changing extends Trial {
        private final Consumer<DynamicPerCpu<Cell>> change;
        private final DynamicPerCpu<Cell> cells = DynamicPerCpu.createWith(() -> new Cell(0));
        private int before;

        Changing(Consumer<DynamicPerCpu<Cell>> change) {
            this.change = change;
        }

        @Override
        void act() {
            change.accept(cells);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            int was = before;
            before = Arrays.stream(values(other, cells)).sum();
            return beforeOrAfter("total of all instances", was, was + 1, before, thrown);
        }
    }

    /** A change of each CPU's instance, in order. */
    private static final class EachInstance extends Trial {
        private final Loop loop;
        private final DynamicPerCpu<Cell> cells = DynamicPerCpu.createWith(() -> new Cell(0));
        private int[] before = new int[CpuMask.capacity()];

        EachInstance(Loop loop) {
            this.loop = loop;
        }

        @Override
        void act() throws InterruptedException {
            loop.over(cells);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            int[] was = before;
            before = values(other, cells);
            boolean all = true;
            for (CpuId cpu : CpuMask.possible()) {
                boolean did = beforeOrAfter(
                        "instance of " + cpu, was[cpu.id()], was[cpu.id()] + 1L, before[cpu.id()], thrown);
                check(all || !did, "an earlier CPU's instance was left out");
                all = did;
            }
            return all;
        }
    }

    /** A number that the guard protects, which another thread may have. */
    private static final class Guarded extends Trial {
        private final boolean waiting;
        private final Consumer<PerCpuNumeric> addition;
        private final DynamicPerCpu<NumericCell> cells = DynamicPerCpu.createNumeric(NumericWidth.LONG, 0);
        private final PerCpuNumeric number = PerCpuNumeric.of(cells);
        private long before;

        Guarded(boolean waiting, Consumer<PerCpuNumeric> addition) {
            this.waiting = waiting;
            this.addition = addition;
        }

        @Override
        void prepare() throws Exception {
            if (waiting) {
                GuardTrials.AllGuards guards = other.call("acquiring all guards", GuardTrials.AllGuards::acquire);
                other.runWhenThisThreadWaits(guards::close);
            }
        }

        @Override
        void act() {
            addition.accept(number);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            other.finish("closing all guards");
            long was = before;
            before = number.sum();
            return beforeOrAfter("total", was, was + 1, before, thrown);
        }
    }

    /** A variable is made; if that fails, what the factory has made is closed. */
    private static final class Making extends Trial {
        private final int[] open = new int[1];
        private @Nullable DynamicPerCpu<Counted> variable;

        @Override
        void act() {
            variable = DynamicPerCpu.createWith(() -> new Counted(open));
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            DynamicPerCpu<Counted> made = variable;
            variable = null;
            check(made != null || thrown != null, "nothing was made");
            if (made != null) {
                same("open instances", INSTANCES, open[0]);
                other.run("closing a variable", made::close);
            }
            same("instances left open", 0, open[0]);
            return made != null;
        }
    }

    /** Another handle is made; if that fails, closing the others still closes the instances. */
    private static final class Sharing extends Trial {
        private final int[] open = new int[1];
        private @Nullable DynamicPerCpu<Counted> variable;
        private @Nullable DynamicPerCpu<Counted> shared;

        @Override
        void prepare() {
            variable = DynamicPerCpu.createWith(() -> new Counted(open));
        }

        @Override
        void act() {
            DynamicPerCpu<Counted> made = variable;
            if (made != null) {
                shared = made.share();
            }
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            DynamicPerCpu<Counted> first = variable;
            DynamicPerCpu<Counted> second = shared;
            variable = null;
            shared = null;
            check(second != null || thrown != null, "nothing was shared");
            other.run("closing the handles", () -> {
                if (first != null) {
                    first.close();
                }
                if (second != null) {
                    same("instances that are shared", INSTANCES, open[0]);
                    second.close();
                }
            });
            same("instances left open", 0, open[0]);
            return second != null;
        }
    }

    /** The last handle is closed; if that fails, it can be closed again, and each instance is closed once. */
    private static final class Closing extends Trial {
        private final int[] open = new int[1];
        private @Nullable DynamicPerCpu<Counted> variable;

        @Override
        void prepare() {
            variable = DynamicPerCpu.createWith(() -> new Counted(open));
        }

        @Override
        void act() {
            DynamicPerCpu<Counted> made = variable;
            if (made != null) {
                made.close();
            }
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            boolean did = open[0] == 0;
            check(did || thrown != null, "instances are open");
            DynamicPerCpu<Counted> made = variable;
            if (!did && made != null) {
                other.run("closing again", made::close);
            }
            same("instances left open", 0, open[0]);
            return did;
        }
    }

    /** A task on each CPU: on each once, or, if it failed, at most once. */
    private static final class EachCpu extends Trial {
        private final int[] runs = new int[CpuMask.capacity()];

        @Override
        void prepare() {
            Arrays.fill(runs, 0);
        }

        @Override
        void act() {
            CpuId.onEachCpu(cpu -> runs[cpu.id()]++);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) {
            boolean all = true;
            for (CpuId cpu : CpuMask.usable()) {
                all &= beforeOrAfter("runs on " + cpu, 0, 1, runs[cpu.id()], thrown);
            }
            return all;
        }
    }
}
