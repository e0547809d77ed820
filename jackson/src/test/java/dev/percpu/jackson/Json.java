package dev.percpu.jackson;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.json.JsonGeneratorImpl;
import com.fasterxml.jackson.core.util.BufferRecycler;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Writer;
import org.jspecify.annotations.Nullable;

/** What the test calls of Jackson 2, and what Jackson 3 calls otherwise. */
final class Json {
    private Json() {}

    static JsonParser parser(JsonFactory json, String text) throws IOException {
        return json.createParser(text);
    }

    static JsonParser parser(JsonFactory json, byte[] text) throws IOException {
        return json.createParser(text);
    }

    static JsonGenerator generator(JsonFactory json, Writer to) throws IOException {
        return json.createGenerator(to);
    }

    static JsonGenerator generator(JsonFactory json, OutputStream to) throws IOException {
        return json.createGenerator(to);
    }

    static @Nullable String nextName(JsonParser parser) throws IOException {
        return parser.nextFieldName();
    }

    static @Nullable String nextString(JsonParser parser) throws IOException {
        return parser.nextTextValue();
    }

    static void writeNumber(JsonGenerator generator, String name, int number) throws IOException {
        generator.writeNumberField(name, number);
    }

    static BufferRecycler recyclerOf(JsonGenerator generator) {
        return ((JsonGeneratorImpl) generator).ioContext().bufferRecycler();
    }
}
