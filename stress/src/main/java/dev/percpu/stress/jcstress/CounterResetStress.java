package dev.percpu.stress.jcstress;

import dev.percpu.concurrent.PerCpuCounter;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/** Each addition is in exactly one of the sums that {@code sumThenReset} returns. */
@JCStressTest
@State
@Outcome(id = "\\d+, \\d+, 8", expect = Expect.ACCEPTABLE, desc = "Two resets and the rest come to all additions.")
@Outcome(expect = Expect.FORBIDDEN, desc = "An addition was lost or doubled.")
public class CounterResetStress {
    private final PerCpuCounter counter = new PerCpuCounter();

    @Actor
    public void add() {
        for (int i = 0; i < 8; i++) {
            counter.increment();
        }
    }

    @Actor
    public void reset(III_Result result) {
        result.r1 = (int) counter.sumThenReset();
        result.r2 = (int) counter.sumThenReset();
    }

    @Arbiter
    public void rest(III_Result result) {
        result.r3 = result.r1 + result.r2 + (int) counter.sumThenReset();
    }
}
