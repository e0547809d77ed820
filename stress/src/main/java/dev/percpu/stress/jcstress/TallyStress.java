package dev.percpu.stress.jcstress;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.protocol.CpuTallies;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/** What a tally's closing returns is what the successful additions came to, and after it there are none. */
@JCStressTest
@State
@Outcome(id = "(\\d+), \\1, 0", expect = Expect.ACCEPTABLE, desc = "The sum has every successful addition once.")
@Outcome(expect = Expect.FORBIDDEN, desc = "An addition was lost, or doubled, or came after the closing.")
public class TallyStress {
    private static final int ADDITIONS = 8;

    private final Object holder = new Object();
    private final long position = Area.allocateFor(holder, Long.BYTES, Long.BYTES, "stress");

    /** Adds until it is refused. */
    @Actor
    public void add(III_Result result) {
        int successes = 0;
        while (successes < ADDITIONS && CpuTallies.CURRENT.add(position, 1)) {
            successes++;
        }
        result.r1 = successes;
    }

    @Actor
    public void close(III_Result result) {
        CpuTallies.CURRENT.shut(position);
        result.r2 = (int) CpuTallies.CURRENT.take(position);
    }

    @Arbiter
    public void addToClosed(III_Result result) {
        result.r3 = CpuTallies.CURRENT.add(position, 1) ? 1 : 0;
    }
}
