package dev.percpu.cli;

import dev.percpu.cli.demo.CpuShare;
import dev.percpu.cli.demo.Demo;
import dev.percpu.cpu.CpuMask;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The JSON of {@code demo}.
 *
 * @param ok whether all totals are right
 * @param differences the totals that are not, as text
 * @param sample what the sample did, step by step
 * @param files how many files were counted
 * @param lines how many line feeds are in them
 * @param bytesPerCpu how many bytes each CPU counted, by the CPU's id
 * @param byteFrequency how often each byte value was met
 * @param longestLine the length of the longest line in bytes, without its line feed
 * @param longestLineFile the file that it is in, if there is one
 * @param cpus all that each CPU counted, of those that counted anything
 * @param skipped how many files are not in the totals
 * @param threads how many threads counted
 * @param seconds how long they took
 * @param referenceSeconds how long it took in a single thread
 */
record DemoJson(
        boolean ok,
        List<String> differences,
        String backend,
        List<String> sample,
        long files,
        long bytes,
        long lines,
        List<Long> bytesPerCpu,
        List<Long> byteFrequency,
        long longestLine,
        @Nullable String longestLineFile,
        List<CpuShare> cpus,
        int skipped,
        List<Skipped> skippedFiles,
        int threads,
        double seconds,
        double referenceSeconds) {

    /** A file that is not in the totals. */
    record Skipped(String file, String reason) {}

    static DemoJson of(String backend, List<String> sample, Demo.Result result) {
        Path longestFile = result.counted().longest().file();
        long[] bytesPerCpu = new long[CpuMask.capacity()];
        result.shares().forEach(share -> bytesPerCpu[share.cpu()] = share.bytes());
        return new DemoJson(
                result.differences().isEmpty(),
                result.differences(),
                backend,
                sample,
                result.counted().files(),
                result.counted().bytes(),
                result.counted().lines(),
                Arrays.stream(bytesPerCpu).boxed().toList(),
                result.counted().byteFrequency(),
                result.counted().longest().bytes(),
                longestFile == null ? null : longestFile.toString(),
                result.shares(),
                result.skipped().size(),
                result.skipped().entrySet().stream()
                        .map(skip -> new Skipped(skip.getKey().toString(), skip.getValue()))
                        .toList(),
                result.threads(),
                result.seconds(),
                result.referenceSeconds());
    }
}
