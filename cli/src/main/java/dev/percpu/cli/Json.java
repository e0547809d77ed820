package dev.percpu.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;

/** How this command writes JSON: in one line, with absent values as null and text as it is. */
final class Json {
    private static final Gson GSON =
            new GsonBuilder().disableHtmlEscaping().serializeNulls().create();

    private Json() {}

    /** A record becomes an object with its components as they are named. */
    static String write(Object value) {
        return GSON.toJson(value);
    }
}
