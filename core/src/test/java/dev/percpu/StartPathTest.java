package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.Machine;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What the JVM has to make before a program's first counter works. The time that this takes depends on the machine, the
 * number of classes does not.
 */
@Tag("rseq")
class StartPathTest {
    private static final String LINKED = "jdk.internal.foreign.abi.DowncallStub/";
    private static final String LAMBDA = "$$Lambda";

    /** What a kernel without huge pages says. */
    private static final int EINVAL = 22;

    /** In a JVM of its own. */
    static final class FirstCounter {
        private FirstCounter() {}

        public static void main(String... arguments) {
            PerCpuCounter counter = new PerCpuCounter();
            counter.increment();
            System.out.println("sum " + counter.sum());
        }
    }

    @Test
    void theFirstCounterTakesTwoLinkedShapesAndNoLambdaButOfItsProtocol() {
        Jvm.Result result = new Jvm().option("-Xlog:class+load:stdout:none").run(FirstCounter.class);
        assertThat(result.output()).contains("sum 1");
        String before = result.output().substring(0, result.output().indexOf("sum 1"));
        assertThat(linked(before)).isEqualTo(2);
        assertThat(before.lines()
                        .filter(line -> line.startsWith("dev.percpu.") && line.contains(LAMBDA))
                        .filter(line -> !line.startsWith("dev.percpu.internal.protocol."))
                        .toList())
                .isEmpty();
        assertThat(before).doesNotContain("dev.percpu.internal.jfr.AreaEvent");
    }

    @Test
    void aKernelThatRefusesAdviceIsNotAskedWhy() {
        Jvm.Result result = new Jvm()
                .option("-Xlog:class+load:stdout:none")
                .refusing(Machine.Call.MADVISE, EINVAL)
                .run(FirstCounter.class);
        assertThat(result.output()).contains("sum 1");
        assertThat(linked(result.output())).isEqualTo(2);
    }

    private static long linked(String output) {
        return output.lines().filter(line -> line.startsWith(LINKED)).count();
    }
}
