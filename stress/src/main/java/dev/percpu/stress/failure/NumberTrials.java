package dev.percpu.stress.failure;

import dev.percpu.DynamicPerCpu;
import dev.percpu.NumericCell;
import dev.percpu.PerCpuDouble;
import dev.percpu.PerCpuNumeric;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.memory.NumericWidth;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Numbers of each CPU. */
final class NumberTrials {
    private static final int CPUS = CpuMask.possible().weight();

    private NumberTrials() {}

    static List<Operation> all() {
        return Stream.of(ofEachWidth(), longs(), doubles())
                .flatMap(each -> each)
                .toList();
    }

    private static Stream<Operation> ofEachWidth() {
        return Arrays.stream(NumericWidth.values()).flatMap(width -> {
            String name = width.toString().toLowerCase(Locale.ROOT);
            return Stream.of(
                    adding(width, name + " add", "add(long)", number -> number.add(1)),
                    adding(width, name + " addAndGet", "addAndGet(long)", number -> ignore(number.addAndGet(1))));
        });
    }

    private static Operation adding(NumericWidth width, String name, String method, Consumer<PerCpuNumeric> addition) {
        return new Operation("number " + name, "PerCpuNumeric." + method, () -> {
                    PerCpuNumeric number = PerCpuNumeric.create(width);
                    return new Adding(() -> addition.accept(number), () -> width.wrap(number.sum()), width);
                })
                .also(Variant.VIRTUAL);
    }

    private static Stream<Operation> longs() {
        AddingUp<PerCpuNumeric> number = new AddingUp<>(
                "number",
                PerCpuNumeric.class,
                () -> PerCpuNumeric.create(NumericWidth.LONG),
                PerCpuNumeric::increment,
                PerCpuNumeric::sum,
                false);
        return Stream.of(
                number.adding("increment()"),
                number.adding("sub(long)", made -> made.sub(-1)),
                number.adding("getAndAdd(long)", made -> ignore(made.getAndAdd(1))),
                number.subtracting("decrement()", PerCpuNumeric::decrement),
                changing(number, "set(long)", made -> made.set(7)),
                changing(number, "or(long)", made -> made.or(7)),
                changing(number, "getAndSet(long)", made -> ignore(made.getAndSet(7))),
                changing(number, "compareAndExchange(long, long)", made -> ignore(made.compareAndExchange(0, 7))),
                number.changing(
                        "and(long)",
                        _ -> new Changing<>(
                                () -> PerCpuNumeric.create(NumericWidth.LONG, 3),
                                made -> made.and(1),
                                3L * CPUS,
                                3L * CPUS - 2,
                                PerCpuNumeric::sum)),
                number.reading("sum()"),
                number.reading("get(CpuId)", made -> {
                            long sum = made.elsewhere();
                            for (CpuId cpu : CpuMask.possible()) {
                                sum += made.get(cpu);
                            }
                            return sum;
                        })
                        .named("number get of a CPU"),
                number.reading("elsewhere()", made -> made.sum() + made.elsewhere()),
                number.reading("snapshot()", made -> {
                    long sum = made.elsewhere();
                    for (long instance : made.snapshot()) {
                        sum += instance;
                    }
                    return sum;
                }),
                new Operation("number get", "PerCpuNumeric.get()", () -> {
                    PerCpuNumeric constant = PerCpuNumeric.create(NumericWidth.LONG, 5);
                    PerCpuNumeric made = PerCpuNumeric.create(NumericWidth.LONG);
                    return new Reading(made::increment, () -> {
                        Trial.same("a CPU's number", 5, constant.get());
                        return made.sum();
                    });
                }),
                new Operation("number of a variable", "PerCpuNumeric.of(PerCpu)", () -> {
                    DynamicPerCpu<NumericCell> cells = DynamicPerCpu.createNumeric(NumericWidth.LONG, 0);
                    return new Reading(
                            () -> cells.run(cell -> cell.add(1)),
                            () -> PerCpuNumeric.of(cells).sum());
                }));
    }

    private static Stream<Operation> doubles() {
        AddingUp<PerCpuDouble> number = new AddingUp<>(
                "double",
                PerCpuDouble.class,
                PerCpuDouble::create,
                made -> made.add(1),
                made -> (long) made.sum(),
                false);
        return Stream.of(
                number.adding("add(double)"),
                number.adding("sub(double)", made -> made.sub(-1)),
                number.adding("addAndGet(double)", made -> ignore((long) made.addAndGet(1))),
                changing(number, "set(double)", made -> made.set(7)),
                changing(number, "getAndSet(double)", made -> ignore((long) made.getAndSet(7))),
                changing(
                        number,
                        "compareAndExchange(double, double)",
                        made -> ignore((long) made.compareAndExchange(0, 7))),
                number.reading("sum()"),
                number.reading("get(CpuId)", made -> {
                            double sum = made.elsewhere();
                            for (CpuId cpu : CpuMask.possible()) {
                                sum += made.get(cpu);
                            }
                            return (long) sum;
                        })
                        .named("double get of a CPU"),
                number.reading("elsewhere()", made -> (long) (made.sum() + made.elsewhere())),
                number.reading("snapshot()", made -> {
                    double sum = made.elsewhere();
                    for (double instance : made.snapshot()) {
                        sum += instance;
                    }
                    return (long) sum;
                }),
                new Operation("double get", "PerCpuDouble.get()", () -> {
                    PerCpuDouble constant = PerCpuDouble.create(5);
                    PerCpuDouble made = PerCpuDouble.create();
                    return new Reading(() -> made.add(1), () -> {
                        Trial.same("a CPU's number", 5, (long) constant.get());
                        return (long) made.sum();
                    });
                }));
    }

    /** A change of the current CPU's number, which is 0, to 7. */
    private static <N> Operation changing(AddingUp<N> number, String method, Consumer<N> change) {
        return number.changing(method, _ -> new Changing<>(number.maker(), change, 0, 7, number.total()));
    }

    private static void ignore(@SuppressWarnings("unused") long result) {}

    /** A change of the current CPU's number, of a new one in each round. */
    private static final class Changing<N> extends Trial {
        private final Supplier<? extends N> maker;
        private final Consumer<N> change;
        private final long before;
        private final long after;
        private final ToLongFunction<N> sum;
        private N number;

        Changing(Supplier<? extends N> maker, Consumer<N> change, long before, long after, ToLongFunction<N> sum) {
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
            change.accept(number);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) {
            return beforeOrAfter("sum of all numbers", before, after, sum.applyAsLong(number), thrown);
        }
    }
}
