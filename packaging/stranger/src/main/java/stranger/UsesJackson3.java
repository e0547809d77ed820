package stranger;

import dev.percpu.jackson3.PerCpuRecyclerPool;
import java.io.StringWriter;
import java.util.concurrent.atomic.LongAdder;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

final class UsesJackson3 {

    private static final JsonFactory JSON =
            JsonFactory.builder().recyclerPool(PerCpuRecyclerPool.shared()).build();

    private UsesJackson3() {}

    static String run() throws InterruptedException {
        LongAdder right = new LongAdder();
        Main.inThreads(() -> {
            if (read(written(7)) == 7) {
                right.increment();
            }
        });
        return right.sum() + " round trips";
    }

    private static String written(int number) {
        StringWriter text = new StringWriter();
        try (JsonGenerator generator = JSON.createGenerator(ObjectWriteContext.empty(), text)) {
            generator.writeStartArray();
            generator.writeNumber(number);
            generator.writeEndArray();
        }
        return text.toString();
    }

    private static int read(String text) {
        try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), text)) {
            if (parser.nextToken() != JsonToken.START_ARRAY || parser.nextToken() != JsonToken.VALUE_NUMBER_INT) {
                throw new IllegalStateException("not an array of a number: " + text);
            }
            return parser.getIntValue();
        }
    }
}
