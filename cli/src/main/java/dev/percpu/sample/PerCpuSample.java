package dev.percpu.sample;

import dev.percpu.CheckedPerCpu;
import dev.percpu.CpuGuard;
import dev.percpu.DynamicDouble;
import dev.percpu.DynamicNumeric;
import dev.percpu.DynamicPerCpu;
import dev.percpu.NumericCell;
import dev.percpu.PerCpuDouble;
import dev.percpu.PerCpuNumeric;
import dev.percpu.PerCpuToken;
import dev.percpu.StaticPerCpu;
import dev.percpu.cell.Cell;
import dev.percpu.cell.RefCell;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.memory.NumericWidth;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.Consumer;

/**
 * A first program with per-CPU variables. It uses each kind of them in the simplest way, checks every value, and says
 * what it does.
 *
 * <p>It is the port of {@code samples/rust/rust_percpu.rs}, the sample of the Rust API for the kernel's per-CPU
 * variables. Start at {@link #run}, and read on from there in order.
 */
public final class PerCpuSample {
    /** A static variable: it lives as long as the program. Each CPU has a {@code Long} of its own, at first 0. */
    private static final StaticPerCpu<Long> COUNT = StaticPerCpu.define("sample.count", () -> 0L);

    /** A checked one: {@link RefCell} itself sees to it that nobody writes what somebody else has borrowed. */
    private static final CheckedPerCpu<RefCell<StringBuilder>> TEXT =
            CheckedPerCpu.of(StaticPerCpu.define("sample.text", () -> new RefCell<>(new StringBuilder())));

    /** {@link Cell} is for values that are replaced as a whole. */
    private static final CheckedPerCpu<Cell<Integer>> CELL =
            CheckedPerCpu.of(StaticPerCpu.define("sample.cell", () -> new Cell<>(0)));

    private static final int TIMES = 4;

    /** The CPUs that the sample runs on: those that {@link CpuId#onEachCpu} visits. */
    private final CpuMask cpus = CpuMask.usable();

    private final Consumer<String> narrator;

    private PerCpuSample(Consumer<String> narrator) {
        this.narrator = narrator;
    }

    /** Runs the sample, and prints what it does. */
    public static void main(String[] args) {
        run(System.out::println);
    }

    /**
     * Runs the sample. It leaves the static variables as it found them, so it can run again, but not twice at a time.
     *
     * @param narrator receives a line about each step that went well
     * @throws IllegalStateException if a value is not what it must be
     */
    public static void run(Consumer<String> narrator) {
        PerCpuSample sample = new PerCpuSample(narrator);
        sample.staticVariable();
        sample.checkedVariables();
        sample.dynamicVariables();
        sample.closingContents();
        sample.numbers();
        sample.doubles();
    }

    private void staticVariable() {
        onEachCpuFourTimes(cpu -> {
            // While this thread holds the guard, no other thread can touch this CPU's instance.
            try (CpuGuard guard = CpuGuard.acquire()) {
                expect("the guard's CPU", guard.cpu().id(), cpu.id());
                PerCpuToken<Long> token = COUNT.getMut(guard);
                token.replace(token.with(value -> value + 1));
            }
        });

        for (CpuId cpu : cpus) {
            // With the CPU's id a guard can be had from anywhere.
            try (CpuGuard guard = CpuGuard.acquire(cpu)) {
                long found = COUNT.getMut(guard).replace(0L);
                expect("the static variable of " + cpu, found, TIMES);
            }
        }
        narrator.accept("static: +1 four times on each CPU makes 4 on each of " + cpus.weight());
    }

    private void checkedVariables() {
        onEachCpuFourTimes(cpu -> {
            try (CpuGuard guard = CpuGuard.acquire()) {
                TEXT.get(guard).run(text -> {
                    try (RefCell.Ref<StringBuilder> builder = text.borrowMut()) {
                        builder.get().append('+');
                    }
                });
                // Tokens of checked variables can be had several at a time, for the same instance too.
                CELL.get(guard).run(cell -> {
                    int before = cell.get();
                    CELL.get(guard).run(same -> same.set(before + 1));
                });
            }
        });

        TEXT.forEachCpu((cpu, text) -> {
            if (cpus.test(cpu)) {
                String found = text.replace(new StringBuilder()).toString();
                expect("the RefCell of " + cpu, found.length(), TIMES);
            }
        });
        CELL.forEachCpu((cpu, cell) -> {
            if (cpus.test(cpu)) {
                expect("the Cell of " + cpu, cell.replace(0), TIMES);
            }
        });
        narrator.accept("checked: a RefCell and a Cell on each CPU went the same way");
    }

    private void dynamicVariables() {
        try (DynamicPerCpu<MemorySegment> zeroed = DynamicPerCpu.createZero(ValueLayout.JAVA_LONG);
                DynamicPerCpu<NumericCell> hundred = DynamicPerCpu.createNumeric(NumericWidth.LONG, 100);
                DynamicPerCpu<long[]> ids = DynamicPerCpu.createFrom(cpu -> new long[] {cpu.id()})) {
            onEachCpuFourTimes(cpu -> {
                try (CpuGuard guard = CpuGuard.acquire()) {
                    zeroed.getMut(guard)
                            .run(memory ->
                                    memory.set(ValueLayout.JAVA_LONG, 0, memory.get(ValueLayout.JAVA_LONG, 0) + 1));
                    hundred.getMut(guard).run(cell -> cell.add(1));
                    ids.getMut(guard).run(array -> array[0]++);
                }
            });

            for (CpuId cpu : cpus) {
                try (CpuGuard guard = CpuGuard.acquire(cpu)) {
                    long fromZero = zeroed.getMut(guard).with(memory -> memory.get(ValueLayout.JAVA_LONG, 0));
                    expect("what began as zeroed memory on " + cpu, fromZero, TIMES);
                    expect("what began as 100 on " + cpu, hundred.getMut(guard).with(NumericCell::get), 100 + TIMES);
                    expect(
                            "what began as the id of " + cpu,
                            ids.getMut(guard).with(array -> array[0]),
                            cpu.id() + TIMES);
                }
            }
        }
        narrator.accept("dynamic: from 0 to 4, from 100 to 104, and from each CPU's id to 4 more");
    }

    /** The contents of a dynamic variable are closed once on each CPU, when its last handle is. */
    private void closingContents() {
        AtomicIntegerArray closed = new AtomicIntegerArray(CpuMask.capacity());
        DynamicPerCpu<AutoCloseable> first = DynamicPerCpu.createFrom(cpu -> () -> closed.incrementAndGet(cpu.id()));
        try (DynamicPerCpu<AutoCloseable> _ = first.share()) {
            first.close();
            for (CpuId cpu : CpuMask.possible()) {
                expect("closings on " + cpu + " while a handle is open", closed.get(cpu.id()), 0);
            }
        }
        // Every possible CPU has an instance, also one that is switched off.
        for (CpuId cpu : CpuMask.possible()) {
            expect("closings on " + cpu, closed.get(cpu.id()), 1);
        }
        narrator.accept("closing: the last of two handles closed the contents, once on each of "
                + CpuMask.possible().weight() + " possible CPUs");
    }

    /** Numbers need no guard: an operation on one is a single step. */
    private void numbers() {
        for (NumericWidth width : NumericWidth.values()) {
            try (DynamicNumeric number = PerCpuNumeric.create(width, 10)) {
                CpuId.onEachCpu(cpu -> addAndSubtract("the " + width + " of " + cpu, number));
            }
            // The same operations on a number that a guard protects, with other data perhaps.
            try (DynamicPerCpu<NumericCell> guarded = DynamicPerCpu.createNumeric(width, 10)) {
                PerCpuNumeric number = PerCpuNumeric.of(guarded);
                CpuId.onEachCpu(cpu -> addAndSubtract("the guarded " + width + " of " + cpu, number));
            }
        }
        narrator.accept("numbers: 10, +1 = 11, +10 = 21, -5 = 16 on each CPU for "
                + Arrays.toString(NumericWidth.values()) + ", unguarded and guarded");
    }

    private static void addAndSubtract(String what, PerCpuNumeric number) {
        expect(what, number.get(), 10);
        number.add(1);
        expect(what + " after +1", number.get(), 11);
        number.add(10);
        expect(what + " after +10", number.get(), 21);
        number.sub(5);
        expect(what + " after -5", number.get(), 16);
    }

    private void doubles() {
        try (DynamicDouble number = PerCpuDouble.create(0)) {
            onEachCpuFourTimes(cpu -> number.add(0.25));
            double sum = number.sum();
            if (sum != cpus.weight()) {
                throw new IllegalStateException("the sum of doubles is " + sum + ", not " + cpus.weight());
            }
            narrator.accept("doubles: 0.25 four times on each CPU sums up to " + sum);
        }
    }

    private static void onEachCpuFourTimes(Consumer<CpuId> task) {
        for (int time = 0; time < TIMES; time++) {
            CpuId.onEachCpu(task);
        }
    }

    private static void expect(String what, long found, long expected) {
        if (found != expected) {
            throw new IllegalStateException(what + " is " + found + ", not " + expected);
        }
    }
}
