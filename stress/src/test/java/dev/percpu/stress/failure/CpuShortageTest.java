package dev.percpu.stress.failure;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpuShortageTest {
    @TempDir
    private Path tasks;

    private final AtomicLong clock = new AtomicLong();

    private void thread(int number, long ready) throws IOException {
        Path directory = Files.createDirectories(tasks.resolve(Integer.toString(number)));
        Files.writeString(directory.resolve("schedstat"), "7000 " + ready + " 3\n");
    }

    @Test
    void aProcessLacksACpuIfItsThreadsAreReadyForHalfOfTheTime() throws IOException {
        thread(1, 500);
        thread(2, 100);
        CpuShortage shortage = new CpuShortage(tasks, clock::get);
        clock.addAndGet(1000);
        thread(2, 500);
        assertThat(shortage.isNow()).as("400 of 1000").isFalse();
        clock.addAndGet(1000);
        thread(1, 800);
        thread(2, 900);
        assertThat(shortage.isNow()).as("300 and 400 of 1000").isTrue();
        clock.addAndGet(1000);
        assertThat(shortage.isNow()).as("none of 1000").isFalse();
    }

    @Test
    void whatTheKernelDoesNotTellIsNoShortage() throws IOException {
        CpuShortage shortage = new CpuShortage(tasks.resolve("ended"), clock::get);
        clock.addAndGet(1000);
        assertThat(shortage.isNow()).isFalse();
        Files.createDirectories(tasks.resolve("1"));
        CpuShortage unknown = new CpuShortage(tasks, clock::get);
        clock.addAndGet(1000);
        assertThat(unknown.isNow()).isFalse();
    }
}
