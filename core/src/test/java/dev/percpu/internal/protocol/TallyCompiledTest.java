package dev.percpu.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.Effort;
import dev.percpu.testing.Jvm;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Owner and closing thread agree in the interpreter, and as compiled by C1 and by C2. On two idle CPUs this finds that
 * the heavy fence is left out, under C1 and C2. That a compiler swapped the owner's store and its second look it
 * could find only if an interrupt came between the two.
 */
@Tag("rseq")
class TallyCompiledTest {
    @ParameterizedTest
    @CsvSource({"-Xint, 100_000", "-XX:TieredStopAtLevel=1, 1_000_000", "-XX:-TieredCompilation, 1_000_000"})
    void noAdditionIsLostOrLateHoweverItIsExecuted(String way, String additions) {
        int scaled = Effort.scaled(Integer.parseInt(additions.replace("_", "")));
        String output = new Jvm().option(way).option("-Dadditions=" + scaled).outputOf(Probe.class);
        assertThat(output).contains("none lost, none late");
    }

    /** Prints what became of the additions. */
    static final class Probe {
        public static void main(String[] args) throws InterruptedException {
            LateAdditions additions = LateAdditions.of(Integer.getInteger("additions"));
            System.out.println(
                    additions.added() == additions.found() && additions.late() == 0
                            ? "none lost, none late"
                            : additions.toString());
        }
    }
}
