package dev.percpu.cli;

import java.io.IOException;

/** A JVM that cannot start its management agent, for {@link TopCommandTest}. It ends when its standard input does. */
final class AgentRefused {
    /** The file that the agent does not find. */
    static final String WITHOUT = "/no/such/configuration";

    private AgentRefused() {}

    public static void main(String[] args) throws IOException {
        System.setProperty("com.sun.management.config.file", WITHOUT);
        System.out.println("up");
        int _ = System.in.read();
    }
}
