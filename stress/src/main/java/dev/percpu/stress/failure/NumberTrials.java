package dev.percpu.stress.failure;

import dev.percpu.DynamicPerCpu;
import dev.percpu.NumericCell;
import dev.percpu.PerCpuDouble;
import dev.percpu.PerCpuNumeric;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.memory.NumericWidth;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** Numbers of each CPU. */
final class NumberTrials {
    private static final int CPUS = CpuMask.possible().weight();

    private NumberTrials() {}

    /** Something done with a number. */
    @FunctionalInterface
    private interface Use<N> {
        void of(N number);
    }

    static List<Operation> all() {
        List<Operation> all = new ArrayList<>();
        for (NumericWidth width : NumericWidth.values()) {
            String name = width.toString().toLowerCase(Locale.ROOT);
            all.add(adding(width, name + " add", "add(long)", number -> number.add(1))
                    .also(Variant.VIRTUAL));
            all.add(adding(width, name + " addAndGet", "addAndGet(long)", number -> ignore(number.addAndGet(1)))
                    .also(Variant.VIRTUAL));
        }
        all.add(adding(NumericWidth.LONG, "increment", "increment()", PerCpuNumeric::increment));
        all.add(adding(NumericWidth.LONG, "sub", "sub(long)", number -> number.sub(-1)));
        all.add(adding(NumericWidth.LONG, "getAndAdd", "getAndAdd(long)", number -> ignore(number.getAndAdd(1))));
        all.add(new Operation("number decrement", "PerCpuNumeric.decrement()", _ -> {
            PerCpuNumeric number = PerCpuNumeric.create(NumericWidth.LONG);
            return new Adding(number::decrement, () -> -number.sum());
        }));
        all.add(changing("set", "set(long)", number -> number.set(7)));
        all.add(changing("or", "or(long)", number -> number.or(7)));
        all.add(changing("getAndSet", "getAndSet(long)", number -> ignore(number.getAndSet(7))));
        all.add(changing(
                "compareAndExchange",
                "compareAndExchange(long, long)",
                number -> ignore(number.compareAndExchange(0, 7))));
        all.add(new Operation(
                "number and",
                "PerCpuNumeric.and(long)",
                _ -> new Changing<>(
                        () -> PerCpuNumeric.create(NumericWidth.LONG, 3),
                        number -> number.and(1),
                        3L * CPUS,
                        3L * CPUS - 2,
                        PerCpuNumeric::sum)));
        all.add(reading("sum", "sum()", PerCpuNumeric::sum));
        all.add(reading("get of a CPU", "get(CpuId)", number -> {
            long sum = number.elsewhere();
            for (CpuId cpu : CpuMask.possible()) {
                sum += number.get(cpu);
            }
            return sum;
        }));
        all.add(reading("elsewhere", "elsewhere()", number -> number.sum() + number.elsewhere()));
        all.add(reading("snapshot", "snapshot()", number -> {
            long sum = number.elsewhere();
            for (long instance : number.snapshot()) {
                sum += instance;
            }
            return sum;
        }));
        all.add(reading("forEachCpu", "forEachCpu(Visitor)", number -> {
            long[] sum = {number.elsewhere()};
            number.forEachCpu((_, value) -> sum[0] += value);
            return sum[0];
        }));
        all.add(new Operation("number get", "PerCpuNumeric.get()", _ -> {
            PerCpuNumeric constant = PerCpuNumeric.create(NumericWidth.LONG, 5);
            PerCpuNumeric number = PerCpuNumeric.create(NumericWidth.LONG);
            return new Reading(number::increment, () -> {
                Trial.same("a CPU's number", 5, constant.get());
                return number.sum();
            });
        }));
        all.add(new Operation("number of a variable", "PerCpuNumeric.of(PerCpu)", _ -> {
            DynamicPerCpu<NumericCell> cells = DynamicPerCpu.createNumeric(NumericWidth.LONG, 0);
            return new Reading(
                    () -> cells.run(cell -> cell.add(1)),
                    () -> PerCpuNumeric.of(cells).sum());
        }));
        doubles(all);
        return all;
    }

    private static void doubles(List<Operation> all) {
        all.add(addingDouble("add", "add(double)", number -> number.add(1)));
        all.add(addingDouble("sub", "sub(double)", number -> number.sub(-1)));
        all.add(addingDouble("addAndGet", "addAndGet(double)", number -> ignore((long) number.addAndGet(1))));
        all.add(changingDouble("set", "set(double)", number -> number.set(7)));
        all.add(changingDouble("getAndSet", "getAndSet(double)", number -> ignore((long) number.getAndSet(7))));
        all.add(changingDouble(
                "compareAndExchange",
                "compareAndExchange(double, double)",
                number -> ignore((long) number.compareAndExchange(0, 7))));
        all.add(readingDouble("sum", "sum()", number -> (long) number.sum()));
        all.add(readingDouble("get of a CPU", "get(CpuId)", number -> {
            double sum = number.elsewhere();
            for (CpuId cpu : CpuMask.possible()) {
                sum += number.get(cpu);
            }
            return (long) sum;
        }));
        all.add(readingDouble("elsewhere", "elsewhere()", number -> (long) (number.sum() + number.elsewhere())));
        all.add(readingDouble("snapshot", "snapshot()", number -> {
            double sum = number.elsewhere();
            for (double instance : number.snapshot()) {
                sum += instance;
            }
            return (long) sum;
        }));
        all.add(readingDouble("forEachCpu", "forEachCpu(Visitor)", number -> {
            double[] sum = {number.elsewhere()};
            number.forEachCpu((_, value) -> sum[0] += value);
            return (long) sum[0];
        }));
        all.add(new Operation("double get", "PerCpuDouble.get()", _ -> {
            PerCpuDouble constant = PerCpuDouble.create(5);
            PerCpuDouble number = PerCpuDouble.create();
            return new Reading(() -> number.add(1), () -> {
                Trial.same("a CPU's number", 5, (long) constant.get());
                return (long) number.sum();
            });
        }));
    }

    private static Operation adding(NumericWidth width, String name, String method, Use<PerCpuNumeric> addition) {
        return new Operation("number " + name, "PerCpuNumeric." + method, _ -> {
            PerCpuNumeric number = PerCpuNumeric.create(width);
            return new Adding(() -> addition.of(number), () -> width.wrap(number.sum()), width);
        });
    }

    private static Operation addingDouble(String name, String method, Use<PerCpuDouble> addition) {
        return new Operation("double " + name, "PerCpuDouble." + method, _ -> {
            PerCpuDouble number = PerCpuDouble.create();
            return new Adding(() -> addition.of(number), () -> (long) number.sum());
        });
    }

    private static Operation changing(String name, String method, Use<PerCpuNumeric> change) {
        return new Operation(
                "number " + name,
                "PerCpuNumeric." + method,
                _ -> new Changing<>(() -> PerCpuNumeric.create(NumericWidth.LONG), change, 0, 7, PerCpuNumeric::sum));
    }

    private static Operation changingDouble(String name, String method, Use<PerCpuDouble> change) {
        return new Operation(
                "double " + name,
                "PerCpuDouble." + method,
                _ -> new Changing<>(PerCpuDouble::create, change, 0, 7, number -> (long) number.sum()));
    }

    private static Operation reading(String name, String method, ToLongFunction<PerCpuNumeric> total) {
        return new Operation("number " + name, "PerCpuNumeric." + method, _ -> {
            PerCpuNumeric number = PerCpuNumeric.create(NumericWidth.LONG);
            return new Reading(number::increment, () -> total.applyAsLong(number));
        });
    }

    private static Operation readingDouble(String name, String method, ToLongFunction<PerCpuDouble> total) {
        return new Operation("double " + name, "PerCpuDouble." + method, _ -> {
            PerCpuDouble number = PerCpuDouble.create();
            return new Reading(() -> number.add(1), () -> total.applyAsLong(number));
        });
    }

    private static void ignore(@SuppressWarnings("unused") long result) {}

    /** A change of the current CPU's number, of a new one in each round. */
    private static final class Changing<N> extends Trial {
        private final Supplier<? extends N> maker;
        private final Use<N> change;
        private final long before;
        private final long after;
        private final ToLongFunction<N> sum;
        private N number;

        Changing(Supplier<? extends N> maker, Use<N> change, long before, long after, ToLongFunction<N> sum) {
            this.maker = maker;
            this.change = change;
            this.before = before;
            this.after = after;
            this.sum = sum;
            this.number = maker.get();
        }

        @Override
        void prepare() {
            number = maker.get();
        }

        @Override
        void act() {
            change.of(number);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) {
            return beforeOrAfter("sum of all numbers", before, after, sum.applyAsLong(number), thrown);
        }
    }
}
