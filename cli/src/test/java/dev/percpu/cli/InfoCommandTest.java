package dev.percpu.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.percpu.PerCpuRuntime;
import dev.percpu.PerCpuRuntime.DeepSelfTest;
import dev.percpu.PerCpuRuntime.Outcome;
import dev.percpu.cpu.CpuMask;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InfoCommandTest {
    @Test
    void theJsonTellsAll() {
        CommandRun run = CommandRun.of("info", "--json");

        assertThat(run.status()).isZero();
        assertThat(run.err()).isEmpty();
        JsonObject json = run.json();
        assertThat(json.keySet())
                .contains("version", "reason", "selfTest", "arch", "kernel", "libc", "java", "variables");
        assertThat(json.get("backend").getAsString()).isEqualTo(PerCpuRuntime.backend());
        assertThat(json.get("libc").getAsString()).matches("glibc [0-9.]+|not glibc");
        assertThat(json.getAsJsonObject("rseq").keySet()).containsExactly("size", "offset", "features");
        assertThat(json.getAsJsonObject("area").keySet()).containsExactly("stride", "reservedBytes", "usedBytesPerCpu");
        assertThat(json.get("ownPlaces").getAsInt())
                .isEqualTo(PerCpuRuntime.ownPlaces().most());
        JsonObject cpus = json.getAsJsonObject("cpus");
        assertThat(cpus.keySet()).containsExactly("possible", "present", "online", "allowed");
        List<Integer> possible = cpus.getAsJsonArray("possible").asList().stream()
                .map(JsonElement::getAsInt)
                .toList();
        assertThat(possible).isEqualTo(CpuMask.possible().ids().boxed().toList());
    }

    @Test
    void theTextNamesTheBackEndAndItsReason() {
        CommandRun run = CommandRun.of("info");

        assertThat(run.status()).isZero();
        assertThat(run.out().lines())
                .anyMatch(line -> line.startsWith("back end")
                        && line.endsWith(PerCpuRuntime.backend() + ": " + PerCpuRuntime.backendReason()));
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
