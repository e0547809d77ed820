package dev.percpu.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.percpu.PerCpuRuntime;
import dev.percpu.cli.demo.ReferenceCount;
import dev.percpu.cli.demo.Totals;
import dev.percpu.cpu.CpuMask;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoCommandTest {
    /** More than any buffer, so that the line goes on from one to the next several times. */
    private static final int LONG_LINE = 3_000_000;

    @TempDir
    Path elsewhere;

    /** What most of the tests count. */
    private Path directory;

    @BeforeEach
    void makeDirectory() throws IOException {
        directory = Files.createDirectory(elsewhere.resolve("directory"));
    }

    private Path write(String name, String text) throws IOException {
        Path file = directory.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text, StandardCharsets.ISO_8859_1);
    }

    private CommandRun demo(String... more) {
        return demo(ReferenceCount::new, more);
    }

    private CommandRun demo(Supplier<ReferenceCount> reference, String... more) {
        String[] args = new String[more.length + 2];
        args[0] = "demo";
        args[1] = directory.toString();
        System.arraycopy(more, 0, args, 2, more.length);
        return CommandRun.of(console -> new DemoCommand(console, reference), args);
    }

    private static long sum(JsonArray numbers) {
        return numbers.asList().stream().mapToLong(JsonElement::getAsLong).sum();
    }

    @Test
    void countsKnownFilesExactly() throws IOException {
        write("empty", "");
        write("two-lines", "ab\nc\n");
        write("deep/er/unterminated", "abc\nabcdefg");
        StringBuilder all = new StringBuilder();
        for (char value = 0; value < 256; value++) {
            all.append(value);
        }
        write("all-byte-values", all.toString());
        Path longest = write("long", "x".repeat(LONG_LINE) + "\n" + "x".repeat(LONG_LINE - 1));

        CommandRun run = demo("--json");

        assertThat(run.err()).isEmpty();
        assertThat(run.status()).isZero();
        JsonObject json = run.json();
        assertThat(json.get("ok").getAsBoolean()).isTrue();
        assertThat(json.get("backend").getAsString()).isEqualTo(PerCpuRuntime.backend());
        assertThat(json.get("files").getAsLong()).isEqualTo(5);
        long bytes = 5 + 11 + 256 + 2L * LONG_LINE;
        assertThat(json.get("bytes").getAsLong()).isEqualTo(bytes);
        assertThat(json.get("lines").getAsLong()).isEqualTo(2 + 1 + 1 + 1);
        assertThat(json.get("longestLine").getAsLong()).isEqualTo(LONG_LINE);
        assertThat(json.get("longestLineFile").getAsString())
                .isEqualTo(longest.toRealPath().toString());
        assertThat(json.get("skipped").getAsInt()).isZero();

        JsonArray bytesPerCpu = json.getAsJsonArray("bytesPerCpu");
        assertThat(bytesPerCpu.size()).isEqualTo(CpuMask.capacity());
        assertThat(sum(bytesPerCpu)).isEqualTo(bytes);
        assertThat(json.getAsJsonArray("cpus"))
                .isNotEmpty()
                .allSatisfy(share -> assertThat(bytesPerCpu
                                .get(share.getAsJsonObject().get("cpu").getAsInt())
                                .getAsLong())
                        .isEqualTo(share.getAsJsonObject().get("bytes").getAsLong()));
        assertThat(json.getAsJsonArray("sample").get(0).getAsString()).startsWith("static: ");
        assertThat(json.get("threads").getAsInt())
                .isEqualTo(8 * Runtime.getRuntime().availableProcessors());

        JsonArray frequency = json.getAsJsonArray("byteFrequency");
        assertThat(frequency.size()).isEqualTo(256);
        assertThat(sum(frequency)).isEqualTo(bytes);
        assertThat(frequency.get('a').getAsLong()).isEqualTo(4);
        assertThat(frequency.get('\n').getAsLong()).isEqualTo(5);
        assertThat(frequency.get('x').getAsLong()).isEqualTo(2L * LONG_LINE);
        assertThat(frequency.get(0xff).getAsLong()).isEqualTo(1);
    }

    @Test
    void countsManyFilesInManyThreadsExactly() throws IOException {
        for (int i = 0; i < 500; i++) {
            write("directory" + i % 7 + "/file" + i, "line\n".repeat(i));
        }

        JsonObject json = demo("--json").json();

        assertThat(json.get("differences").getAsJsonArray()).isEmpty();
        assertThat(json.get("files").getAsLong()).isEqualTo(500);
        assertThat(json.get("lines").getAsLong()).isEqualTo(500 * 499 / 2);
        assertThat(json.get("longestLine").getAsLong()).isEqualTo(4);
        assertThat(json.get("longestLineFile").getAsString()).endsWith("/directory0/file105");
    }

    @Test
    void aDirectoryWithoutFilesComesToNothing() {
        CommandRun run = demo("--json");

        assertThat(run.status()).isZero();
        assertThat(run.json().get("files").getAsLong()).isZero();
        assertThat(run.json().get("longestLine").getAsLong()).isZero();
        assertThat(run.json().get("longestLineFile").isJsonNull()).isTrue();
        assertThat(run.json().getAsJsonArray("cpus")).isEmpty();
        assertThat(demo().out()).contains("longest line: 0 bytes\n");
    }

    @Test
    void linksAreNotFollowedAndFilesNamedTwiceAreCountedOnce() throws IOException {
        Path file = write("file", "text\n");
        Files.writeString(elsewhere.resolve("outside"), "not to be counted");
        Files.createSymbolicLink(directory.resolve("loop"), directory);
        Files.createSymbolicLink(directory.resolve("out"), elsewhere);
        Files.createSymbolicLink(directory.resolve("dangling"), directory.resolve("nothing"));
        Path linkToDirectory = elsewhere.resolve("link");
        Files.createSymbolicLink(linkToDirectory, directory);

        CommandRun run = demo("--json", file.toString(), linkToDirectory.toString());

        assertThat(run.status()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.json().get("files").getAsLong()).isEqualTo(1);
        assertThat(run.json().get("bytes").getAsLong()).isEqualTo(5);
    }

    @Test
    void theTextEndsWithOk() throws IOException {
        write("red\u001b[31m", "text\n");

        CommandRun run = demo();

        assertThat(run.status()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out().lines()).last().isEqualTo("demo: ok");
        assertThat(run.out()).contains("longest line: 4 bytes in ", "/red?[31m\n", "skipped: 0");
    }

    @Test
    void theTableHasWhatEachCpuCountedAndTheTotals() throws IOException {
        write("empty", "");
        write("long", "x".repeat(200_000) + "\n".repeat(5) + "end");

        CommandRun run = demo();

        long[] sums = new long[6];
        run.out()
                .lines()
                .filter(line -> line.matches("  [0-9]+( +[0-9,]+){5}"))
                .map(line -> line.strip().replace(",", "").split(" +", -1))
                .forEach(cells -> Arrays.setAll(sums, i -> sums[i] + Long.parseLong(cells[i])));
        // After the CPU's id: files, bytes, lines, buffers of 64 KiB, guarded updates.
        assertThat(sums).endsWith(2, 200_008, 5, 4, 6);
        assertThat(run.out()).containsPattern("\n  all +2 +200,008 +5 +4 +6\n");
    }

    @Test
    void anUnreadableFileIsNamedAndSkipped() throws IOException {
        write("file", "text\n");
        // It is a regular file, and reading at its beginning is an error for everyone, as nothing is mapped there.
        String unreadable = "/proc/" + ProcessHandle.current().pid() + "/mem";

        CommandRun run = demo("--json", unreadable);

        assertThat(run.status()).isZero();
        assertThat(run.json().get("files").getAsLong()).isEqualTo(1);
        assertThat(run.json().get("skipped").getAsInt()).isEqualTo(1);
        JsonObject skipped = run.json().getAsJsonArray("skippedFiles").get(0).getAsJsonObject();
        assertThat(skipped.get("file").getAsString()).isEqualTo(unreadable);
        assertThat(run.errLines())
                .containsExactly("percpu: skipped " + unreadable + ": "
                        + skipped.get("reason").getAsString());
    }

    @Test
    void aFileThatChangesIsNamedAndLeftOutAndTheOthersAreCountedAgain() throws IOException {
        write("same", "text\n");
        Path changing = write("changing\u001b[31m", "before\n");
        Path vanishing = write("vanishing", "there\n");
        AtomicBoolean once = new AtomicBoolean();

        // The reference is made between the two passes.
        CommandRun run = demo(
                () -> {
                    if (once.compareAndSet(false, true)) {
                        overwrite(changing, "after!\n");
                        delete(vanishing);
                    }
                    return new ReferenceCount();
                },
                "--json");

        assertThat(run.status()).isZero();
        assertThat(run.errLines())
                .containsExactly(
                        "percpu: skipped " + directory.toRealPath().resolve("changing?[31m")
                                + ": it changed while it was counted",
                        "percpu: skipped " + directory.toRealPath().resolve("vanishing")
                                + ": once it was counted it could not be read again: it does not exist",
                        "percpu: counting again without what was skipped");
        assertThat(run.json().get("files").getAsLong()).isEqualTo(1);
        assertThat(run.json().get("bytes").getAsLong()).isEqualTo(5);
        assertThat(run.json().get("skipped").getAsInt()).isEqualTo(2);
    }

    private static void overwrite(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path file) {
        try {
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Counts one line too many. */
    private static final class WrongCount extends ReferenceCount {
        @Override
        public Totals totals() {
            Totals right = super.totals();
            return new Totals(
                    right.files(),
                    right.bytes(),
                    right.lines() + 1,
                    right.pieces(),
                    right.longest(),
                    right.byteFrequency());
        }
    }

    @Test
    void aWrongTotalIsNamedAndIsAFailure() throws IOException {
        write("file", "text\n");
        String difference = "wrong total: lines: counted per CPU 1, in a single thread 2";

        CommandRun run = demo(WrongCount::new);

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.out().lines()).last().isEqualTo("demo: " + difference);
        assertThat(run.errLines()).containsExactly("percpu: " + difference);
    }

    @Test
    void aWrongTotalIsInTheJsonToo() throws IOException {
        write("file", "text\n");

        CommandRun run = demo(WrongCount::new, "--json");

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.json().get("ok").getAsBoolean()).isFalse();
        assertThat(run.json().getAsJsonArray("differences").get(0).getAsString())
                .startsWith("lines: ");
    }

    @Test
    void aPathThatIsNotThereIsAnError() {
        CommandRun run = demo(directory + "/nothing");

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.errLines())
                .isEqualTo(List.of("percpu: " + directory + "/nothing cannot be read: it does not exist"));
        assertThat(run.out()).doesNotContain("demo: ok");
    }

    @Test
    void aPathThatIsNoFileIsAnError() {

        assertThat(demo("/dev/null").failure())
                .isEqualTo("percpu: /dev/null is neither a directory nor a regular file");
    }
}
