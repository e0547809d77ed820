package dev.percpu.cli.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The name of the processor's design, such as {@code AMD Zen 5}. In a virtual machine the model name often says no more
 * than {@code AMD EPYC}, so the name comes from the family and the model.
 */
final class Processor {
    private static final Path CPUINFO = Path.of("/proc/cpuinfo");

    /** Designs by vendor, family, and the models from and to. */
    private record Design(String vendor, int family, int from, int to, String name) {}

    private static final List<Design> DESIGNS = List.of(
            new Design("AuthenticAMD", 23, 0x00, 0x2f, "AMD Zen"),
            new Design("AuthenticAMD", 23, 0x30, 0xff, "AMD Zen 2"),
            new Design("AuthenticAMD", 25, 0x10, 0x1f, "AMD Zen 4"),
            new Design("AuthenticAMD", 25, 0x60, 0x7f, "AMD Zen 4"),
            new Design("AuthenticAMD", 25, 0xa0, 0xaf, "AMD Zen 4"),
            new Design("AuthenticAMD", 25, 0x00, 0xff, "AMD Zen 3"),
            new Design("AuthenticAMD", 26, 0x00, 0xff, "AMD Zen 5"),
            new Design("GenuineIntel", 6, 0x55, 0x55, "Intel Skylake server"),
            new Design("GenuineIntel", 6, 0x6a, 0x6c, "Intel Ice Lake server"),
            new Design("GenuineIntel", 6, 0x8f, 0x8f, "Intel Sapphire Rapids"),
            new Design("GenuineIntel", 6, 0xcf, 0xcf, "Intel Emerald Rapids"),
            new Design("GenuineIntel", 6, 0xad, 0xad, "Intel Granite Rapids"));

    private Processor() {}

    /** The name of this machine's. */
    static String name() {
        try {
            return name(Files.readAllLines(CPUINFO));
        } catch (IOException e) {
            return System.getProperty("os.arch");
        }
    }

    /** The name of a processor that {@code /proc/cpuinfo} describes; its model name if the design is not known. */
    static String name(List<String> cpuinfo) {
        Map<String, String> fields = new HashMap<>();
        for (String line : cpuinfo) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                fields.putIfAbsent(
                        line.substring(0, colon).strip(),
                        line.substring(colon + 1).strip());
            }
        }
        String vendor = fields.getOrDefault("vendor_id", "");
        int family = number(fields.get("cpu family"));
        int model = number(fields.get("model"));
        return DESIGNS.stream()
                .filter(design -> design.vendor.equals(vendor)
                        && design.family == family
                        && design.from <= model
                        && model <= design.to)
                .map(Design::name)
                .findFirst()
                .orElse(fields.getOrDefault("model name", System.getProperty("os.arch")));
    }

    /** A processor's name as that of a file: {@code amd-zen-5}. */
    static String fileName(String processor) {
        return processor.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^-|-$", "");
    }

    private static int number(@Nullable String text) {
        try {
            return text == null ? -1 : Integer.parseInt(text);
        } catch (NumberFormatException e) {
            return -1;
        }
    }
}
