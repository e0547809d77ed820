package dev.percpu.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Period;
import jdk.jfr.StackTrace;

/**
 * The back end that runs. It is recorded at both ends of a chunk. A recording may start with the JVM, so that its first
 * chunk has begun before the library comes, and if the process is killed, its last chunk has no end.
 */
@Name("dev.percpu.BackEnd")
@Label("Back End")
@Category("Percpu")
@Description("How per-CPU variables are updated in this process, and why")
@Period("everyChunk")
@StackTrace(false)
final class BackEndEvent extends Event {
    @Label("Back End")
    String backEnd;

    @Label("Reason")
    String reason;

    @Label("Self-Test")
    String selfTest;

    BackEndEvent(String backEnd, String reason, String selfTest) {
        this.backEnd = backEnd;
        this.reason = reason;
        this.selfTest = selfTest;
    }
}
