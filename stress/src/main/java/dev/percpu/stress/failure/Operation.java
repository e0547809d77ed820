package dev.percpu.stress.failure;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/**
 * A public operation of the library.
 *
 * @param name what it is called on the command line and in the report
 * @param methods the public methods whose steps are made to fail, as in {@code PerCpuCounter.add(long)}
 * @param factory makes trials, each with things of its own to use it on
 * @param waits whether a thread that uses it is parked, if no step fails
 * @param waitedFor whether another thread waits for it to be used
 * @param others the further circumstances in which it is tried
 */
record Operation(
        String name,
        Variant variant,
        List<String> methods,
        Callable<Trial> factory,
        boolean waits,
        boolean waitedFor,
        List<Variant> others) {
    Operation(String name, List<String> methods, Callable<Trial> factory) {
        this(name, Variant.PLAIN, methods, factory, false, false, List.of());
    }

    Operation(String name, String method, Callable<Trial> factory) {
        this(name, List.of(method), factory);
    }

    /** A new trial of it, for which another thread does what the trial's own cannot. */
    Trial newTrial(OtherThread other) throws Exception {
        Trial trial = factory.call();
        trial.other = other;
        return variant.trial(trial);
    }

    /** The same with another name, as where two methods have one name. */
    Operation named(String other) {
        return new Operation(other, variant, methods, factory, waits, waitedFor, others);
    }

    /** It waits for another thread, or until its time has run out. */
    Operation thatWaits() {
        return new Operation(name, variant, methods, factory, true, waitedFor, others);
    }

    Operation thatIsWaitedFor() {
        return new Operation(name, variant, methods, factory, waits, true, others);
    }

    /** It is tried in these circumstances, too. */
    Operation also(Variant... more) {
        List<Variant> all = Stream.concat(others.stream(), Arrays.stream(more)).toList();
        return new Operation(name, variant, methods, factory, waits, waitedFor, all);
    }

    /** All that it stands for: the plain operation, and the same in the other circumstances. */
    Stream<Operation> inEachVariant() {
        return Stream.concat(Stream.of(this), others.stream().map(this::in));
    }

    /**
     * Whether it parks a virtual thread, or makes it yield. If the stack or the heap is nearly full, the JDK can fail
     * in the middle of that. Then a lock of {@code java.util.concurrent} or the thread itself hangs, in JDK 25.0.3 also
     * without this library: see "Virtual threads that park" in {@code docs/stress.md}. So such an operation is not
     * tried with a full stack or a full heap.
     */
    boolean parksVirtualThread() {
        return variant == Variant.VIRTUAL && waits;
    }

    private Operation in(Variant other) {
        return new Operation(name + other.suffix(), other, methods, factory, waits, waitedFor, List.of());
    }
}
