package dev.percpu.cli;

import dev.percpu.PerCpuRuntime;
import dev.percpu.cpu.CpuMask;
import java.lang.module.ModuleDescriptor;
import java.util.List;

/**
 * What {@code info} tells; the names are those of its JSON.
 *
 * @param version this command's version
 * @param backend the back end's name
 * @param reason why it is that one
 * @param selfTest what the self-test at start-up said
 * @param deepSelfTest what the deep self-test said, if it was asked for
 * @param arch the processor architecture, as Java names it
 * @param kernel the operating system's name and release
 * @param libc the C library's name and version
 * @param java the JVM's version
 * @param ownPlaces how many threads can have a place of their own at a time
 * @param variables how many per-CPU variables there are that are static or have a name
 */
record Info(
        String version,
        String backend,
        String reason,
        String selfTest,
        String deepSelfTest,
        String arch,
        String kernel,
        String libc,
        String java,
        PerCpuRuntime.Rseq rseq,
        Cpus cpus,
        PerCpuRuntime.Area area,
        int ownPlaces,
        int variables) {

    /** Lists of CPU ids. */
    record Cpus(List<Integer> possible, List<Integer> present, List<Integer> online, List<Integer> allowed) {}

    /** What there is to tell now. */
    static Info read(String deepSelfTest) {
        return new Info(
                moduleVersion(),
                PerCpuRuntime.backend(),
                PerCpuRuntime.backendReason(),
                PerCpuRuntime.selfTest(),
                deepSelfTest,
                System.getProperty("os.arch"),
                System.getProperty("os.name") + " " + System.getProperty("os.version"),
                PerCpuRuntime.libc(),
                System.getProperty("java.runtime.version"),
                PerCpuRuntime.rseq(),
                new Cpus(
                        ids(CpuMask.possible()), ids(CpuMask.present()), ids(CpuMask.online()), ids(CpuMask.allowed())),
                PerCpuRuntime.area(),
                PerCpuRuntime.ownPlaces().most(),
                PerCpuRuntime.variables().size());
    }

    private static String moduleVersion() {
        ModuleDescriptor module = Info.class.getModule().getDescriptor();
        return module == null ? "unknown" : module.rawVersion().orElse("unknown");
    }

    private static List<Integer> ids(CpuMask cpus) {
        return cpus.ids().boxed().toList();
    }
}
