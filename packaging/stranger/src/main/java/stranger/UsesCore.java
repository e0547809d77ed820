package stranger;

import dev.percpu.StaticPerCpu;
import dev.percpu.concurrent.PerCpuCounter;

final class UsesCore {

    private static final PerCpuCounter REQUESTS = new PerCpuCounter();
    private static final StaticPerCpu<long[]> GUARDED = StaticPerCpu.define("guarded", () -> new long[1]);

    private UsesCore() {}

    static String run() throws InterruptedException {
        Main.inThreads(() -> {
            REQUESTS.increment();
            GUARDED.run(count -> count[0]++);
        });
        long[] guarded = new long[1];
        GUARDED.forEachCpu((cpu, count) -> guarded[0] += count[0]);
        return REQUESTS.sum() + " counted, " + guarded[0] + " guarded";
    }
}
