package dev.percpu.stress.failure;

import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A public operation of the library.
 *
 * @param name what it is called on the command line and in the report
 * @param methods the public methods whose steps are made to fail, as in {@code PerCpuCounter.add(long)}
 * @param factory makes things to use it on
 */
record Operation(String name, Variant variant, List<String> methods, Factory factory) {
    Operation(String name, List<String> methods, Factory factory) {
        this(name, Variant.PLAIN, methods, factory);
    }

    Operation(String name, String method, Factory factory) {
        this(name, List.of(method), factory);
    }

    /** One that is used on something new each time. */
    static <S> Operation on(String name, String method, Supplier<S> subject, Function<S, Trial> trial) {
        return new Operation(name, method, _ -> trial.apply(subject.get()));
    }

    /** Makes a trial. */
    @FunctionalInterface
    interface Factory {
        /**
         * Makes one.
         *
         * @param other another thread, for what the trial's own thread cannot do
         */
        Trial create(OtherThread other) throws Exception;
    }

    /**
     * Whether it parks a virtual thread, or makes it yield. If the stack or the heap is nearly full, the JDK can fail
     * in the middle of that. Then a lock of {@code java.util.concurrent} or the thread itself hangs, in JDK 25.0.3 also
     * without this library: see "Virtual threads that park" in {@code docs/stress.md}. So such an operation is not
     * tried with a full stack or a full heap.
     */
    boolean parksVirtualThread() {
        return variant == Variant.VIRTUAL && Operations.waits(this);
    }

    /** The same operation in other circumstances. */
    Operation in(Variant other) {
        return new Operation(name + other.suffix(), other, methods, thread -> other.trial(factory.create(thread)));
    }
}
