package dev.percpu.stress;

import dev.percpu.stress.subject.Subject;
import java.util.List;

/**
 * What a run is to be like.
 *
 * @param seconds how long it lasts
 * @param threads how many platform threads there are at a time
 * @param seed where the random choices begin
 * @param kinds what is put under stress
 * @param soak whether to tell each minute what the process uses
 */
record StressOptions(int seconds, int threads, long seed, List<Subject.Kind> kinds, boolean soak) {}
