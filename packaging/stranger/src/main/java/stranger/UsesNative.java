package stranger;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

final class UsesNative {

    private UsesNative() {}

    static String run() throws IOException {
        try (InputStream header = ClassLoader.getSystemResourceAsStream("include/percpu.h")) {
            if (header == null) {
                throw new IOException("include/percpu.h is missing");
            }
            String text = new String(header.readAllBytes(), StandardCharsets.UTF_8);
            return text.contains("#ifndef PERCPU_H") ? "include/percpu.h" : "not percpu.h: " + text;
        }
    }
}
