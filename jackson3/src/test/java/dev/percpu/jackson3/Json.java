package dev.percpu.jackson3;

import java.io.OutputStream;
import java.io.Writer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.base.GeneratorBase;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.BufferRecycler;

/** What the test calls of Jackson 3, and what Jackson 2 calls otherwise. */
final class Json {
    private Json() {}

    static JsonParser parser(JsonFactory json, String text) {
        return json.createParser(ObjectReadContext.empty(), text);
    }

    static JsonParser parser(JsonFactory json, byte[] text) {
        return json.createParser(ObjectReadContext.empty(), text);
    }

    static JsonGenerator generator(JsonFactory json, Writer to) {
        return json.createGenerator(ObjectWriteContext.empty(), to);
    }

    static JsonGenerator generator(JsonFactory json, OutputStream to) {
        return json.createGenerator(ObjectWriteContext.empty(), to);
    }

    static @Nullable String nextName(JsonParser parser) {
        return parser.nextName();
    }

    static @Nullable String nextString(JsonParser parser) {
        return parser.nextStringValue();
    }

    static void writeNumber(JsonGenerator generator, String name, int number) {
        generator.writeNumberProperty(name, number);
    }

    static BufferRecycler recyclerOf(JsonGenerator generator) {
        return ((GeneratorBase) generator).ioContext().bufferRecycler();
    }
}
