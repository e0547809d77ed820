package dev.percpu.stress.jcstress;

import dev.percpu.concurrent.PerCpuCounter;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * Two resets at the same time: one of them has what was added. If both had it, both would subtract it, so that the sum
 * of all results would be right all the same.
 */
@JCStressTest
@State
@Outcome(
        id = {"8, 0, 0", "0, 8, 0"},
        expect = Expect.ACCEPTABLE,
        desc = "One reset has all additions.")
@Outcome(expect = Expect.FORBIDDEN, desc = "An addition is in two results, or in none.")
public class CounterResetsStress {
    private final PerCpuCounter counter = new PerCpuCounter();

    public CounterResetsStress() {
        counter.add(8);
    }

    @Actor
    public void first(III_Result result) {
        result.r1 = (int) counter.sumThenReset();
    }

    @Actor
    public void second(III_Result result) {
        result.r2 = (int) counter.sumThenReset();
    }

    @Arbiter
    public void rest(III_Result result) {
        result.r3 = (int) counter.sumThenReset();
    }
}
