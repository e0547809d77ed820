package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.testing.Jvm;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Properties that are true or false, in JVMs of their own. A user who misspells one would take it for set. */
class FlagsTest {
    /** Uses what reads them. */
    static final class Probe {
        private Probe() {}

        public static void main(String[] arguments) throws InterruptedException {
            new PerCpuCounter().increment();
            PerCpuPool<Object> pool = PerCpuPool.builder(1, Object::new).build();
            pool.acquire();
            System.out.println("works");
        }
    }

    private static String run(String property) {
        return Jvm.asHere().option(property).run(Probe.class).output();
    }

    @ParameterizedTest
    @ValueSource(strings = {"-Dpercpu.checked=yes", "-Dpercpu.checked"})
    void aWrongValueIsNamedWithWhatWouldDo(String property) {
        String value = property.substring(property.indexOf('=') + 1);
        assertThat(run(property))
                .doesNotContain("works")
                .contains("percpu.checked must be true or false, not '" + (property.contains("=") ? value : "") + "'");
    }

    /** Only sequences have names. */
    @Test
    @Tag("rseq")
    void soItIsForTheNamesOfSequences() {
        assertThat(run("-Dpercpu.perf.map=1"))
                .doesNotContain("works")
                .contains("percpu.perf.map must be true or false, not '1'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"-Dpercpu.checked=true", "-Dpercpu.checked= False", "-Dpercpu.perf.map=false"})
    void eitherIsARightValue(String property) {
        assertThat(run(property)).contains("works");
    }
}
