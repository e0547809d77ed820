package dev.percpu.benchmarks.programs;

import dev.percpu.benchmarks.measure.Role;
import java.util.List;

/** A program that is measured as a whole, once with each of several parts. */
interface Program {
    /** What it is called, and what it does, in a few words. */
    String title();

    /** The parts that are compared; the first one is what the program does without any. */
    List<String> variants();

    /** What a part is in the comparison. */
    default Role.Kind role(String variant) {
        return variant.contains("`percpu-") ? Role.Kind.OURS : Role.Kind.PEER;
    }

    /** Runs it with a part, and measures it once it is warm. */
    Result run(String variant, Timing timing) throws Exception;
}
