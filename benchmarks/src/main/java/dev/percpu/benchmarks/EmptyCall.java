package dev.percpu.benchmarks;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;

/** A call of a function in C that does nothing. It is a class of its own so that only who calls it needs gcc. */
final class EmptyCall {
    private static final MethodHandle NOTHING = Linker.nativeLinker()
            .downcallHandle(
                    CSource.load("nothing.c").findOrThrow("nothing"),
                    FunctionDescriptor.ofVoid(),
                    Linker.Option.critical(false));

    private EmptyCall() {}

    static void call() {
        try {
            NOTHING.invokeExact();
        } catch (Throwable t) {
            throw new AssertionError("the C function threw", t);
        }
    }
}
