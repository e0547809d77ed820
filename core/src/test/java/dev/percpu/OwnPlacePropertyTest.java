package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.Workers;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What {@code percpu.places} does, in JVMs of their own. */
@Tag("native")
class OwnPlacePropertyTest {
    private static final int THREADS = 6;
    private static final int UPDATES = 100_000;
    private static final String SUMS = "sums: " + THREADS * UPDATES + ", " + THREADS * UPDATES + "\n";

    /** Counts in several threads, and prints what came of it. */
    static final class Probe {
        private Probe() {}

        public static void main(String[] arguments) throws InterruptedException {
            PerCpuCounter counter = new PerCpuCounter();
            PerCpuDoubleCounter doubles = new PerCpuDoubleCounter();
            Workers.run("hot-", THREADS, _ -> {
                for (int i = 0; i < UPDATES; i++) {
                    counter.increment();
                    doubles.add(1);
                }
            });
            System.out.println("sums: " + counter.sum() + ", " + (long) doubles.sumThenReset());
            System.out.println("places: " + OwnPlaces.count() + " of " + OwnPlaces.COUNT);
        }
    }

    private static String run(String property) {
        return Jvm.asHere().option(property).run(Probe.class).output();
    }

    @Test
    void zeroSwitchesOwnPlacesOff() {
        assertThat(run("-Dpercpu.places=0")).contains(SUMS, "places: 0 of 0\n");
    }

    @Test
    void thereAreNoMoreThanItSays() {
        assertThat(run("-Dpercpu.places=2")).contains(SUMS).containsPattern("places: [12] of 2\n");
    }

    @Test
    void aWrongValueIsNamedWithWhatWouldDo() {
        assertThat(run("-Dpercpu.places=some"))
                .contains("percpu.places must be a whole number from 0 to 1024", "not 'some'");
    }
}
