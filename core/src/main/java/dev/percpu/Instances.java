package dev.percpu;

import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.failure.Failures;
import dev.percpu.internal.guard.PaddedArray;
import dev.percpu.internal.protocol.StackRoom;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Creates a variable's instances. If the user's code fails to create one, those created so far are closed. */
final class Instances {
    private Instances() {}

    /**
     * Creates a variable. If that fails, the instances that were created are closed.
     *
     * @param creation puts the instances into the array that it is given, and returns the variable
     */
    static <V> V allOrNone(Function<@Nullable Object[], V> creation) {
        // The user's code may overflow the stack. What closes the instances then needs room.
        StackRoom.CURRENT.ensure();
        // Everything needed to close the instances after a failure is allocated before the first instance: later the
        // heap may be full.
        @Nullable Object[] made = PerCpuPtr.newInstances();
        Failures failures = new Failures();
        boolean done = false;
        try {
            V variable = creation.apply(made);
            done = true;
            return variable;
        } catch (Throwable e) {
            // Also a checked one: a function in another language can throw it.
            closeAll(made, failures);
            failures.addTo(e);
            throw e;
        } finally {
            if (!done) {
                // If there is no memory, the JVM passes over a handler that was never used. If the one above has run,
                // no instance is left here.
                closeAll(made, failures);
            }
        }
    }

    private static void closeAll(@Nullable Object[] instances, Failures failures) {
        for (int cpu = 0; cpu < CpuMask.capacity(); cpu++) {
            int index = PaddedArray.index(cpu);
            @Nullable Object instance = instances[index];
            instances[index] = null;
            close(instance, failures);
        }
    }

    /** Closes the object if it is {@link AutoCloseable}, and adds whatever that throws to {@code failures}. */
    static void close(@Nullable Object object, Failures failures) {
        if (object instanceof AutoCloseable closeable) {
            try {
                closeable.close();
            } catch (Throwable e) {
                failures.add(e);
            }
        }
    }
}
