package dev.percpu.internal.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.percpu.internal.failure.Reporter;
import dev.percpu.internal.linux.KernelThreads;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class ReportsTest {
    /** As after an error in a class initializer: the class that names threads of C code cannot be had any more. */
    @Test
    @Tag("native")
    void aReportThatCannotBeMadeIsCountedAndThrowsNothing() throws Exception {
        // The boot loader as the parent: the platform's class loader finds the classes of all named modules, these too.
        URL[] library = {Reports.class.getProtectionDomain().getCodeSource().getLocation()};
        try (URLClassLoader loader = new URLClassLoader(library, null) {
            @Override
            protected Class<?> findClass(String name) throws ClassNotFoundException {
                if (name.equals(KernelThreads.class.getName())) {
                    throw new ClassNotFoundException(name);
                }
                return super.findClass(name);
            }
        }) {
            Method takenOver = loader.loadClass(Reports.class.getName())
                    .getDeclaredMethod("takenOver", int.class, long.class, Thread.class);
            takenOver.setAccessible(true);
            assertThatCode(() -> takenOver.invoke(null, 0, -1L, null)).doesNotThrowAnyException();
            Field lost = loader.loadClass(Reporter.class.getName()).getDeclaredField("lost");
            lost.setAccessible(true);
            assertThat(lost.getLong(null)).isEqualTo(1);
        }
    }
}
