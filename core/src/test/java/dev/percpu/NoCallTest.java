package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuDoubleAccumulator;
import dev.percpu.internal.backend.Interposition;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.protocol.CurrentCpu;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Jvm;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What changes nothing makes no call of native code, nor an atomic update: each use of a protocol is counted. */
@Tag("native")
class NoCallTest {
    @Test
    void whatChangesNothingMakesNoCall() {
        assertThat(Jvm.asHere().outputOf(Probe.class)).isEqualTo("""
                        number add(0): 0
                        number sub(0): 0
                        number or(0): 0
                        number and(-1): 0
                        guarded number add(0): 0
                        maximum, not exceeded: 0
                        minimum, not exceeded: 0
                        double maximum, not exceeded: 0
                        number add(1): 1
                        number or(1): 1
                        number or(1) again: 1
                        counter add(0): 0
                        counter add(1): 1
                        counter array add(0): 0
                        double add(0): 0
                        """);
    }

    /** Runs in a JVM of its own. */
    static final class Probe {
        /** One in 16 of those that change nothing goes into the spare slot too, after which no call is needed. */
        private static final int ENOUGH = 1000;

        private static int calls;

        private Probe() {}

        public static void main(String[] arguments) {
            Interposition.install(new Interposition.Interposer() {
                @Override
                public <P> P around(Class<P> protocol, P normal, Function<Sequences, ? extends P> rseq) {
                    // With atomic instructions the other protocols ask this one.
                    return protocol == CurrentCpu.class ? normal : counting(protocol, normal);
                }
            });
            PerCpuNumeric number = PerCpuNumeric.create(NumericWidth.LONG);
            PerCpuNumeric guarded = PerCpuNumeric.of(StaticPerCpu.defineNumeric("guarded", NumericWidth.LONG, 0));
            tell("number add(0)", () -> number.add(0));
            tell("number sub(0)", () -> number.sub(0));
            tell("number or(0)", () -> number.or(0));
            tell("number and(-1)", () -> number.and(-1));
            tell("guarded number add(0)", () -> guarded.add(0));
            PerCpuAccumulator maximum = PerCpuAccumulator.maximum();
            PerCpuAccumulator minimum = PerCpuAccumulator.minimum();
            PerCpuDoubleAccumulator doubles = new PerCpuDoubleAccumulator(Math::max, Double.NEGATIVE_INFINITY);
            maximum.accumulate(6);
            minimum.accumulate(4);
            doubles.accumulate(6);
            for (int i = 0; i < ENOUGH; i++) {
                maximum.accumulate(5);
                minimum.accumulate(5);
                doubles.accumulate(5);
            }
            tell("maximum, not exceeded", () -> maximum.accumulate(5));
            tell("minimum, not exceeded", () -> minimum.accumulate(5));
            tell("double maximum, not exceeded", () -> doubles.accumulate(5));
            tell("number add(1)", () -> number.add(1));
            tell("number or(1)", () -> number.or(1));
            tell("number or(1) again", () -> number.or(1));
            PerCpuCounter counter = new PerCpuCounter();
            tell("counter add(0)", () -> counter.add(0));
            tell("counter add(1)", () -> counter.add(1));
            PerCpuCounterArray array = new PerCpuCounterArray(2);
            tell("counter array add(0)", () -> array.add(1, 0));
            PerCpuDouble floating = PerCpuDouble.create();
            tell("double add(0)", () -> floating.add(0));
        }

        private static void tell(String what, Runnable use) {
            int before = calls;
            use.run();
            System.out.println(what + ": " + (calls - before));
        }

        private static <P> P counting(Class<P> protocol, P normal) {
            return protocol.cast(Proxy.newProxyInstance(
                    protocol.getClassLoader(), new Class<?>[] {protocol}, (_, method, arguments) -> {
                        calls++;
                        return invoke(method, normal, arguments);
                    }));
        }

        private static Object invoke(Method method, Object target, Object[] arguments) throws Throwable {
            try {
                return method.invoke(target, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }
    }
}
