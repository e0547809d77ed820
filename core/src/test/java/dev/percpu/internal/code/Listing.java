package dev.percpu.internal.code;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.linux.Architecture;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A sequence that was emitted for some architecture, this machine's or another, as GNU objdump reads it.
 *
 * @param code all of the bytes
 * @param sections what the descriptors among them say, in their order
 * @param instructions what is neither descriptor nor signature nor padding
 */
record Listing(ByteBuffer code, List<Section> sections, List<Instruction> instructions) {
    /** Where the code would run. */
    static final long ORIGIN = 0x7f12_3456_0000L;

    private static final int DESCRIPTOR_BYTES = 32;
    private static final int SIGNATURE_BYTES = 4;
    private static final int CAPACITY = 8192;

    /** An address, a tab, and the instruction up to what the disassembler remarks. */
    private static final Pattern LINE = Pattern.compile("^\\s*([0-9a-f]+):\\t(.*?)\\s*(?:(?:#|//) .*)?$");

    private static final Pattern BRANCH = Pattern.compile("(?:j[a-z]+|b|b\\.[a-z]+|cbn?z \\w+,) 0x([0-9a-f]+)");

    /** One critical section: its addresses, as the kernel reads them. */
    record Section(long descriptor, long start, long end, long abort) {}

    /** An instruction in the disassembler's words, with single blanks. */
    record Instruction(long address, String text) {
        boolean isBranch() {
            return BRANCH.matcher(text).matches();
        }

        /** Where a branch goes to. */
        long target() {
            Matcher branch = BRANCH.matcher(text);
            assertThat(branch.matches()).as(text).isTrue();
            return Long.parseUnsignedLong(branch.group(1), 16);
        }

        boolean isJump() {
            return text.matches("(jmp|b) .*");
        }
    }

    static Listing of(
            Architecture architecture, SequenceLayout layout, Instrumentation instrumentation, Sequence sequence) {
        var buffer = new CodeBuffer(ORIGIN, CAPACITY);
        sequence.emitter()
                .emit(new dev.percpu.internal.code.Section(
                        layout, buffer, Assembler.of(architecture, buffer), instrumentation));
        ByteBuffer code = bytes(buffer);
        List<Section> sections = sections(code);
        if (sections.isEmpty()) {
            return new Listing(code, sections, disassemble(architecture, code, ORIGIN, ORIGIN + code.capacity()));
        }
        // All descriptors come first. From there on all is code but the signatures.
        List<Instruction> instructions = new ArrayList<>();
        long from = sections.getLast().descriptor() + DESCRIPTOR_BYTES;
        for (Section section : sections) {
            instructions.addAll(disassemble(architecture, code, from, section.abort() - SIGNATURE_BYTES));
            from = section.abort();
        }
        instructions.addAll(disassemble(architecture, code, from, ORIGIN + code.capacity()));
        return new Listing(code, sections, List.copyOf(instructions));
    }

    /** Single instructions, in no sequence. */
    static Listing assembled(Architecture architecture, Consumer<Assembler> instructions) {
        var buffer = new CodeBuffer(ORIGIN, CAPACITY);
        instructions.accept(Assembler.of(architecture, buffer));
        ByteBuffer code = bytes(buffer);
        return new Listing(code, List.of(), disassemble(architecture, code, ORIGIN, ORIGIN + code.capacity()));
    }

    private static ByteBuffer bytes(CodeBuffer buffer) {
        return ByteBuffer.wrap(buffer.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
    }

    List<String> texts() {
        return instructions.stream().map(Instruction::text).toList();
    }

    List<Instruction> within(long from, long to) {
        return instructions.stream()
                .filter(instruction -> instruction.address() >= from && instruction.address() < to)
                .toList();
    }

    /** Where a section that is aborted starts over: behind the abort address, the code goes on with that jump. */
    long entry(Section section) {
        return instructions.stream()
                .filter(instruction -> instruction.address() >= section.abort() && instruction.isJump())
                .findFirst()
                .orElseThrow()
                .target();
    }

    int signature(Section section) {
        return code.getInt((int) (section.abort() - SIGNATURE_BYTES - ORIGIN));
    }

    /** A descriptor is aligned, begins with version and flags 0, and goes on with an address right behind it. */
    private static List<Section> sections(ByteBuffer code) {
        List<Section> sections = new ArrayList<>();
        for (int at = 0; at + DESCRIPTOR_BYTES <= code.capacity(); at += DESCRIPTOR_BYTES) {
            long start = code.getLong(at + 8);
            if (code.getLong(at) == 0 && start > ORIGIN + at && start < ORIGIN + code.capacity()) {
                sections.add(new Section(ORIGIN + at, start, start + code.getLong(at + 16), code.getLong(at + 24)));
            }
        }
        return sections;
    }

    private static List<Instruction> disassemble(Architecture architecture, ByteBuffer code, long from, long to) {
        try {
            Path file = Files.createTempFile("code", ".bin");
            try (var channel = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
                channel.write(code.duplicate());
            }
            List<String> command = new ArrayList<>(objdump(architecture));
            command.addAll(List.of("-D", "-b", "binary", "-w", "--no-show-raw-insn"));
            command.add("--adjust-vma=" + hex(ORIGIN));
            command.add("--start-address=" + hex(from));
            command.add("--stop-address=" + hex(to));
            command.add(file.toString());
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(output).isZero();
            Files.delete(file);
            List<Instruction> instructions = output.lines()
                    .map(LINE::matcher)
                    .filter(Matcher::matches)
                    .map(line -> new Instruction(
                            Long.parseUnsignedLong(line.group(1), 16),
                            line.group(2).replaceAll("\\s+", " ")))
                    .toList();
            assertThat(instructions).as(output).isNotEmpty();
            return instructions;
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "both " + objdump(Architecture.X86_64).getFirst() + " and "
                            + objdump(Architecture.AARCH64).getFirst() + " are needed",
                    e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Debian's names: the machine's own disassembler has the short one, and reads no other machine's code. */
    private static List<String> objdump(Architecture architecture) {
        boolean own = architecture == Architecture.current();
        return switch (architecture) {
            case X86_64 -> List.of(own ? "objdump" : "x86_64-linux-gnu-objdump", "-m", "i386:x86-64", "-M", "intel");
            case AARCH64 -> List.of(own ? "objdump" : "aarch64-linux-gnu-objdump", "-m", "aarch64");
            case OTHER -> throw new IllegalArgumentException("no disassembler is known");
        };
    }

    static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }
}
