package dev.percpu.internal.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.OnCpu;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.Sysfs;
import dev.percpu.testing.TestInOwnJvm;
import org.junit.jupiter.api.Tag;

/** Which CPUs there are for a process that may not use all of them, or is not told which there are. */
@Tag("native")
@Tag("once")
class TopologyTest {
    /** As the system call tells, which the masks do not use. */
    private static final int LAST = Affinity.get().length() - 1;

    private static final String ALL_UP_TO_LAST = LAST == 0 ? "0" : "0-" + LAST;

    /** Prints the masks. */
    static final class Probe {
        private Probe() {}

        public static void main(String[] arguments) {
            System.out.println("possible " + CpuMask.possible());
            System.out.println("present " + CpuMask.present());
            System.out.println("online " + CpuMask.online());
            System.out.println("allowed " + CpuMask.allowed());
            System.out.println("usable " + CpuMask.usable());
            System.out.println("capacity " + CpuMask.capacity());
        }
    }

    /** What a process prints that may only use the last CPU. */
    private static String onLastCpu(Jvm jvm) {
        String[] output = new String[1];
        OnCpu.run(CpuId.of(LAST), () -> output[0] = jvm.outputOf(Probe.class));
        return output[0];
    }

    @TestInOwnJvm
    void aProcessThatMayUseOneCpu() {
        assertThat(onLastCpu(new Jvm()).lines())
                .containsExactly(
                        "possible " + CpuMask.possible(),
                        "present " + CpuMask.present(),
                        "online " + CpuMask.online(),
                        "allowed " + LAST,
                        "usable " + LAST,
                        "capacity " + CpuMask.capacity());
    }

    @TestInOwnJvm
    void withoutSysfsItHasThatCpuAndAllBelowIt() {
        assertThat(onLastCpu(Sysfs.hidden()).lines())
                .containsExactly(
                        "possible " + ALL_UP_TO_LAST,
                        "present " + ALL_UP_TO_LAST,
                        "online " + ALL_UP_TO_LAST,
                        "allowed " + LAST,
                        "usable " + LAST,
                        "capacity " + (LAST + 1));
    }

    @TestInOwnJvm
    void withoutSysfsThereAreAtLeastAsManyAsTheJvmCounts() {
        String counted = "0-" + (LAST + 3);
        assertThat(Sysfs.hidden()
                        .option("-XX:ActiveProcessorCount=" + (LAST + 4))
                        .outputOf(Probe.class)
                        .lines())
                .containsExactly(
                        "possible " + counted,
                        "present " + counted,
                        "online " + counted,
                        "allowed " + CpuMask.allowed(),
                        "usable " + CpuMask.allowed(),
                        "capacity " + (LAST + 4));
    }

    /** The only allowed one is none of them. So the others are taken for allowed. */
    @TestInOwnJvm
    void noMaskHasACpuThatIsNotPossible() {
        assertThat(onLastCpu(Sysfs.telling("devices/system/cpu/possible", "0")).lines())
                .containsExactly("possible 0", "present 0", "online 0", "allowed 0", "usable 0", "capacity 1");
    }

    @TestInOwnJvm
    void whatIsNotOnlineIsUsableOnlyIfNothingElseIs() {
        String online = "devices/system/cpu/online";
        assertThat(Sysfs.telling(online, "0").outputOf(Probe.class))
                .contains("online 0\nallowed " + CpuMask.allowed() + "\nusable 0\n");
        assertThat(onLastCpu(Sysfs.telling(online, "0"))).contains("online 0\nallowed " + LAST + "\nusable " + LAST);
    }

    @TestInOwnJvm
    void idsCanHaveGaps() {
        assertThat(Sysfs.telling("devices/system/cpu/possible", LAST + "," + (LAST + 2))
                        .outputOf(Probe.class))
                .contains("possible " + LAST + "," + (LAST + 2), "capacity " + (LAST + 3));
    }

    /** As in a sandbox that tells little of itself. */
    @TestInOwnJvm
    void aProcessThatIsNotToldWhatItMayUse() {
        assertThat(Sysfs.tellingOfItself("Name:\tjava").outputOf(Probe.class))
                .contains("allowed " + CpuMask.possible() + "\nusable " + CpuMask.online());
    }
}
