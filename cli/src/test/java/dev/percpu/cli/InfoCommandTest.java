package dev.percpu.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.percpu.PerCpuRuntime;
import dev.percpu.PerCpuRuntime.DeepSelfTest;
import dev.percpu.PerCpuRuntime.Outcome;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.cpu.CpuMask;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InfoCommandTest {
    /** So that there is a variable with a name. */
    private static final PerCpuCounter NAMED = new PerCpuCounter("listed");

    @Test
    void theJsonTellsAll() {
        NAMED.increment();
        CommandRun run = CommandRun.of("info", "--json");

        assertThat(run.status()).isZero();
        assertThat(run.err()).isEmpty();
        JsonObject json = run.json();
        assertThat(json.has("version")).isTrue();
        assertThat(json.get("variables").getAsInt()).isPositive();
        assertThat(json.get("backend").getAsString()).isEqualTo(PerCpuRuntime.backend());
        assertThat(json.get("reason").getAsString()).isEqualTo(PerCpuRuntime.backendReason());
        assertThat(json.get("selfTest").getAsString()).isEqualTo(PerCpuRuntime.selfTest());
        assertThat(json.get("arch").getAsString()).isEqualTo(System.getProperty("os.arch"));
        assertThat(json.get("kernel").getAsString()).isEqualTo("Linux " + System.getProperty("os.version"));
        assertThat(json.get("java").getAsString()).isEqualTo(System.getProperty("java.runtime.version"));
        assertThat(json.get("libc").getAsString()).matches("glibc [0-9.]+|not glibc");
        assertThat(json.getAsJsonObject("rseq").keySet()).containsExactly("size", "offset", "features");
        assertThat(json.getAsJsonObject("area").keySet()).containsExactly("stride", "reservedBytes", "usedBytesPerCpu");
        assertThat(json.get("ownPlaces").getAsInt())
                .isEqualTo(PerCpuRuntime.ownPlaces().most());
        JsonObject cpus = json.getAsJsonObject("cpus");
        assertThat(cpus.keySet()).containsExactly("possible", "present", "online", "allowed");
        assertThat(ids(cpus, "possible")).isEqualTo(CpuMask.possible());
        assertThat(ids(cpus, "present")).isEqualTo(CpuMask.present());
        assertThat(ids(cpus, "online")).isEqualTo(CpuMask.online());
        assertThat(ids(cpus, "allowed")).isEqualTo(CpuMask.allowed());
    }

    private static CpuMask ids(JsonObject cpus, String which) {
        return CpuMask.of(cpus.getAsJsonArray(which).asList().stream()
                .mapToInt(JsonElement::getAsInt)
                .toArray());
    }

    @Test
    void theTextTellsAll() {
        CommandRun run = CommandRun.of("info");

        assertThat(run.status()).isZero();
        Info info = Info.read("not asked for");
        PerCpuRuntime.Rseq rseq = info.rseq();
        List<String> lines = run.out().lines().toList();
        assertThat(lines)
                .hasSize(15)
                .startsWith(
                        "Percpu            " + info.version(),
                        "back end          " + info.backend() + ": " + info.reason(),
                        "self-test         " + info.selfTest(),
                        "deep self-test    not asked for",
                        "machine           " + info.kernel() + ", " + info.arch(),
                        "C library         " + info.libc(),
                        "Java              " + info.java(),
                        "rseq              "
                                + (rseq.size() == 0
                                        ? "no thread is registered"
                                        : rseq.size() + " bytes at thread pointer " + (rseq.offset() < 0 ? "" : "+")
                                                + rseq.offset() + ": " + String.join(", ", rseq.features())),
                        "CPUs possible     " + CpuMask.possible() + " ("
                                + CpuMask.possible().weight() + ")",
                        "CPUs present      " + CpuMask.present() + " ("
                                + CpuMask.present().weight() + ")",
                        "CPUs online       " + CpuMask.online() + " ("
                                + CpuMask.online().weight() + ")",
                        "CPUs allowed      " + CpuMask.allowed() + " ("
                                + CpuMask.allowed().weight() + ")");
        // What nobody can reach any more may be given back at any time.
        assertThat(lines.get(12))
                .matches(String.format(
                        Locale.ROOT,
                        "per-CPU area      [1-9][0-9,]* bytes used of %,d for each CPU; %,d bytes of address space",
                        info.area().stride(),
                        info.area().reservedBytes()));
        assertThat(lines.get(13)).isEqualTo("own places        for " + info.ownPlaces() + " threads");
        assertThat(lines.get(14)).matches("variables         [0-9]+");
    }

    @Test
    void theDeepSelfTestRunsOnRequest() {
        CommandRun run = CommandRun.of("info", "--json", "--self-test");

        assertThat(run.status()).isZero();
        assertThat(run.json().get("deepSelfTest").getAsString())
                .isEqualTo(
                        PerCpuRuntime.backend().equals("rseq")
                                ? "passed"
                                : "not run: the back end is " + PerCpuRuntime.backend());
    }

    @ParameterizedTest
    @CsvSource({"PASSED, 0", "FAILED, 1", "NOT_RUN, 1", "NOTHING_TO_TEST, 0"})
    void theExitStatusIsThatOfTheSelfTest(Outcome outcome, int status) {
        DeepSelfTest found = new DeepSelfTest(outcome, "in some words or other");
        CommandRun run =
                CommandRun.of(console -> new InfoCommand(console, () -> found), "info", "--json", "--self-test");

        assertThat(run.status()).isEqualTo(status);
        assertThat(run.json().get("deepSelfTest").getAsString()).isEqualTo(found.text());
        assertThat(run.errLines())
                .isEqualTo(
                        status == 0 ? List.of() : List.of("percpu: the deep self-test did not pass; " + found.text()));
    }
}
