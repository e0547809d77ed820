package dev.percpu.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.cli.demo.FileCounter.PartlyCountedException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
class FileCounterTest {
    private static final Path FILE = Path.of("file");

    private static InputStream failing() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("worn out");
            }

            @Override
            public int read(byte[] buffer, int from, int length) throws IOException {
                return read();
            }
        };
    }

    @Test
    void failingAtTheBeginningLeavesTheTotalsAsTheyWere() {
        try (CountingVariables variables = new CountingVariables()) {
            assertThatThrownBy(() -> new FileCounter(variables).count(failing(), FILE))
                    .isExactlyInstanceOf(IOException.class)
                    .hasMessage("worn out");
            assertThat(variables.totals().differencesFrom(new ReferenceCount().totals()))
                    .isEmpty();
        }
    }

    @Test
    void failingLaterSaysThatTheTotalsAreSpoilt() {
        InputStream some = new ByteArrayInputStream(new byte[] {'a', '\n'});
        try (CountingVariables variables = new CountingVariables()) {
            assertThatThrownBy(() -> new FileCounter(variables).count(new SequenceInputStream(some, failing()), FILE))
                    .isInstanceOf(PartlyCountedException.class)
                    .hasMessage("worn out");
            assertThat(variables.totals().bytes()).isEqualTo(2);
        }
    }
}
