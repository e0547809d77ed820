package dev.percpu.cli.demo;

import dev.percpu.cli.output.CliException;
import dev.percpu.cli.output.Messages;
import dev.percpu.cli.output.TextFiles;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Finds the regular files below some paths, each once. A path that is itself a symbolic link is followed, links below
 * it are not, so the walk stays below it and ends.
 */
final class FileTree {
    private final SequencedMap<Path, Long> sizes = new TreeMap<>();
    private final BiConsumer<Path, IOException> unreadable;

    private FileTree(BiConsumer<Path, IOException> unreadable) {
        this.unreadable = unreadable;
    }

    /**
     * Walks the trees.
     *
     * @param unreadable is told of each file or directory that cannot be looked at
     * @return the files in the order of their paths, with their sizes
     * @throws CliException if a root does not exist, or is neither a directory nor a regular file
     */
    static SequencedMap<Path, Long> find(List<Path> roots, BiConsumer<Path, IOException> unreadable) {
        FileTree tree = new FileTree(unreadable);
        for (Path root : roots) {
            tree.walk(root);
        }
        return tree.sizes;
    }

    private void walk(Path root) {
        try {
            Path real = root.toRealPath();
            if (!Files.isDirectory(real) && !Files.isRegularFile(real)) {
                throw new CliException(Messages.printable(root) + " is neither a directory nor a regular file");
            }
            Files.walkFileTree(real, new Visitor());
        } catch (IOException e) {
            throw TextFiles.unreadable(root, e);
        }
    }

    private final class Visitor extends SimpleFileVisitor<Path> {
        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (attributes.isRegularFile()) {
                sizes.put(file, attributes.size());
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException e) {
            unreadable.accept(file, e);
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException e) {
            if (e != null) {
                unreadable.accept(directory, e);
            }
            return FileVisitResult.CONTINUE;
        }
    }
}
