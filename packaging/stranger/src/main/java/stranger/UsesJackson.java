package stranger;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.percpu.jackson.PerCpuRecyclerPool;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.concurrent.atomic.LongAdder;

final class UsesJackson {

    private static final JsonFactory JSON =
            JsonFactory.builder().recyclerPool(PerCpuRecyclerPool.shared()).build();

    private UsesJackson() {}

    static String run() throws InterruptedException {
        LongAdder right = new LongAdder();
        Main.inThreads(() -> {
            try {
                if (read(written(7)) == 7) {
                    right.increment();
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return right.sum() + " round trips";
    }

    private static String written(int number) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator generator = JSON.createGenerator(text)) {
            generator.writeStartArray();
            generator.writeNumber(number);
            generator.writeEndArray();
        }
        return text.toString();
    }

    private static int read(String text) throws IOException {
        try (JsonParser parser = JSON.createParser(text)) {
            if (parser.nextToken() != JsonToken.START_ARRAY || parser.nextToken() != JsonToken.VALUE_NUMBER_INT) {
                throw new IllegalStateException("not an array of a number: " + text);
            }
            return parser.getIntValue();
        }
    }
}
