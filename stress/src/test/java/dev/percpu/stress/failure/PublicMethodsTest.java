package dev.percpu.stress.failure;

import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.PerCpuRuntime;
import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.MemberRefEntry;
import java.lang.constant.MethodTypeDesc;
import java.lang.module.ModuleDescriptor;
import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Each public method is used by an operation of the failure run, or there is a reason why none uses it. */
class PublicMethodsTest {
    /** Methods that no operation uses, each with the reason; a star stands for all methods of a type. */
    private static final Map<String, List<String>> EXCEPTIONS = Map.ofEntries(
            Map.entry(
                    "an object or a set of one thread, which no other code of the library knows",
                    List.of(
                            "Cell.*",
                            "UnsafeCell.*",
                            "Opaque.*",
                            "CpuMask.*",
                            "RefCell.Ref.get()",
                            "RefCell.Ref.set(Object)",
                            "new RefCell(Object)")),
            Map.entry(
                    "a value that never changes",
                    List.of(
                            "HistogramSnapshot.*",
                            "CpuId.id()",
                            "CpuId.of(int)",
                            "CpuId.compareTo(CpuId)",
                            "new AreaFullException(String)")),
            Map.entry(
                    "returns a field, or computes something from fields",
                    List.of(
                            "CpuGuard.cpu()",
                            "DynamicPerCpu.ptr()",
                            "StaticPerCpu.ptr()",
                            "PerCpu.ptr()",
                            "PerCpuPtr.position()",
                            "PerCpuNumeric.width()",
                            "NumericCell.width()",
                            "PerCpuAccumulator.identity()",
                            "PerCpuBoundedCounter.batch()",
                            "PerCpuBoundedCounter.errorBound()",
                            "PerCpuBuckets.length()",
                            "PerCpuCounterArray.length()",
                            "PerCpuDoubleAccumulator.identity()",
                            "PerCpuHistogram.bounds()",
                            "PerCpuHistogram.bytesPerCpu()",
                            "PerCpuHistogram.highestTrackable()",
                            "PerCpuHistogram.relativeError()",
                            "PerCpuPool.capacity()",
                            "PerCpuReadWriteLock.readLock()",
                            "PerCpuReadWriteLock.writeLock()",
                            "PerCpuReadWriteLock.isFair()",
                            "PerCpuRef.isKilled()",
                            "PerCpuRef.isZero()",
                            "Pooled.get()")),
            Map.entry(
                    "reports what is there, and changes nothing",
                    List.of(
                            "CpuGuard.describeOwner(CpuId)",
                            "CpuGuard.isHeldByCurrentThread()",
                            "CpuGuard.owner(CpuId)",
                            "CpuId.current()",
                            "PerCpuPool.statistics()",
                            "PerCpuReadWriteLock.getQueueLength()",
                            "PerCpuReadWriteLock.getWaitQueueLength(Condition)",
                            "PerCpuReadWriteLock.getWriteHoldCount()",
                            "PerCpuReadWriteLock.hasQueuedThreads()",
                            "PerCpuReadWriteLock.hasWaiters(Condition)",
                            "PerCpuReadWriteLock.isWriteLocked()",
                            "PerCpuReadWriteLock.isWriteLockedByCurrentThread()",
                            "PerCpuRuntime.*",
                            "PerCpuMXBean.*",
                            "PerCpuMonitor.*",
                            "Variable.*",
                            "new PerCpuMonitor()")),
            Map.entry(
                    "notes something in a builder that one thread has; the operations make what it builds",
                    List.of(
                            "EventBuilder.*",
                            "HistogramBuilder.*",
                            "PoolBuilder.*",
                            "PerCpuEvent.builder()",
                            "PerCpuHistogram.builder()",
                            "PerCpuPool.builder(int, Supplier)")),
            Map.entry(
                    "calls another one that an operation uses, with a name or other arguments that are usual",
                    List.of(
                            "DynamicPerCpu.createFrom(Function)",
                            "DynamicPerCpu.createNumeric(NumericWidth, long)",
                            "DynamicPerCpu.createWith(String, Supplier)",
                            "DynamicPerCpu.createZero(MemoryLayout)",
                            "DynamicPerCpu.createZero(MemoryLayout, Function)",
                            "DynamicPerCpu.createZero(String, MemoryLayout)",
                            "PerCpuAccumulator.maximum()",
                            "PerCpuAccumulator.minimum()",
                            "PerCpuDouble.create()",
                            "PerCpuDouble.create(double)",
                            "PerCpuDouble.create(String)",
                            "PerCpuDouble.define(String)",
                            "PerCpuNumeric.create(NumericWidth)",
                            "PerCpuNumeric.create(NumericWidth, long)",
                            "PerCpuNumeric.create(String, NumericWidth)",
                            "PerCpuNumeric.define(String, NumericWidth)",
                            "new PerCpuAccumulator(LongBinaryOperator, long)",
                            "new PerCpuBoundedCounter()",
                            "new PerCpuBoundedCounter(int)",
                            "new PerCpuBoundedCounter(String)",
                            "new PerCpuBuckets(int)",
                            "new PerCpuCounter()",
                            "new PerCpuCounterArray(int)",
                            "new PerCpuDoubleAccumulator(DoubleBinaryOperator, double)",
                            "new PerCpuDoubleCounter()",
                            "new PerCpuReadWriteLock()",
                            "new PerCpuReadWriteLock(boolean)",
                            "new PerCpuReadWriteLock(String, boolean)",
                            "new PerCpuRef(Runnable)",
                            "new PerCpuSummary()",
                            "CheckedPerCpu.of(PerCpu)",
                            "CheckedPerCpuToken.of(CpuGuard, PerCpuPtr)",
                            "PerCpuToken.of(CpuGuard, PerCpuPtr)")),
            Map.entry(
                    "a single load or store of an instance, or a pointer to it, without anything around it",
                    List.of("NumericCell.*", "PerCpuPtr.getPtr()", "PerCpuPtr.ofPosition(long, MemoryLayout)")),
            Map.entry(
                    "needs a C library; the tests of the module native try it",
                    List.of("ExternPerCpu.*", "PerCpuNumeric.declare(SymbolLookup, String, NumericWidth)")));

    /** Of each object, and of each number: these call what reads the number, which an operation uses. */
    private static final Set<String> OF_OBJECT_OR_NUMBER =
            Set.of("toString", "equals", "hashCode", "intValue", "longValue", "floatValue", "doubleValue");

    @Test
    void eachPublicMethodIsUsed() throws Exception {
        Set<String> missing = publicMethods();
        missing.removeAll(declared());
        missing.removeIf(method -> exceptions().anyMatch(exception -> covers(exception, method)));
        assertThat(missing).isEmpty();
    }

    @Test
    void whatIsDeclaredExists() throws Exception {
        assertThat(publicMethods()).containsAll(declared());
    }

    /** Nothing tells whether a declared method is called in the part that fails, but it is called. */
    @Test
    void whatIsDeclaredIsCalled() throws Exception {
        Set<String> called = calledByTheHarness();
        assertThat(declared()).allSatisfy(method -> assertThat(called).contains(withoutType(method)));
    }

    @Test
    void noExceptionIsStale() throws Exception {
        Set<String> methods = publicMethods();
        Set<String> declared = declared();
        assertThat(exceptions()).allSatisfy(exception -> {
            assertThat(methods).anyMatch(method -> covers(exception, method));
            assertThat(declared).doesNotContain(exception);
        });
    }

    @Test
    void eachStructureIsMade() throws Exception {
        Set<String> used = new TreeSet<>();
        try (InputStream bytes = Objects.requireNonNull(MakingTrials.class.getResourceAsStream("MakingTrials.class"))) {
            ClassFile.of().parse(bytes.readAllBytes()).constantPool().forEach(entry -> {
                if (entry instanceof ClassEntry type) {
                    used.add(type.asInternalName().replace('/', '.'));
                }
            });
        }
        assertThat(exportedTypes())
                .filteredOn(type -> type.matches("dev\\.percpu\\.concurrent\\.PerCpu\\w+"))
                .isNotEmpty()
                .allMatch(used::contains);
    }

    private static Stream<String> exceptions() {
        return EXCEPTIONS.values().stream().flatMap(Collection::stream);
    }

    private static boolean covers(String exception, String method) {
        if (!exception.endsWith(".*")) {
            return method.equals(exception);
        }
        String type = exception.substring(0, exception.length() - 2);
        return method.startsWith(type + ".") || method.startsWith("new " + type + "(");
    }

    private static Set<String> declared() {
        return Operations.all().stream()
                .flatMap(operation -> operation.methods().stream())
                .collect(toCollection(TreeSet::new));
    }

    /** The methods of the exported packages, and of the interfaces of the JDK that locks and conditions are used by. */
    private static Set<String> publicMethods() throws IOException, URISyntaxException, ClassNotFoundException {
        Set<String> methods = new TreeSet<>();
        addMethods(methods, Lock.class);
        addMethods(methods, Condition.class);
        for (String type : exportedTypes()) {
            addMethods(methods, Class.forName(type, false, PerCpuRuntime.class.getClassLoader()));
        }
        return methods;
    }

    private static List<String> exportedTypes() throws IOException, URISyntaxException {
        Path location = Path.of(PerCpuRuntime.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        if (Files.isDirectory(location)) {
            return exportedTypes(location);
        }
        try (FileSystem jar = FileSystems.newFileSystem(location)) {
            return exportedTypes(jar.getPath("/"));
        }
    }

    private static List<String> exportedTypes(Path root) throws IOException {
        ModuleDescriptor module;
        try (InputStream bytes = Files.newInputStream(root.resolve("module-info.class"))) {
            module = ModuleDescriptor.read(bytes);
        }
        Set<String> types = new TreeSet<>();
        for (ModuleDescriptor.Exports exported : module.exports()) {
            try (Stream<Path> files = Files.list(root.resolve(exported.source().replace('.', '/')))) {
                files.map(file -> file.getFileName().toString())
                        .filter(name -> name.endsWith(".class") && !name.equals("package-info.class"))
                        .forEach(name -> types.add(exported.source() + "." + name.replace(".class", "")));
            }
        }
        return List.copyOf(types);
    }

    private static void addMethods(Set<String> methods, Class<?> type) {
        if (!isPublic(type) || type.isRecord() || type.isEnum()) {
            // Records and constants are values that never change.
            return;
        }
        for (Method method : type.getMethods()) {
            if (!method.isSynthetic()
                    && !OF_OBJECT_OR_NUMBER.contains(method.getName())
                    && !isMentionedElsewhere(method.getDeclaringClass(), type)) {
                methods.add(nameOf(type) + "." + method.getName() + parametersOf(method));
            }
        }
        for (Executable constructor : type.getConstructors()) {
            methods.add("new " + nameOf(type) + parametersOf(constructor));
        }
    }

    private static boolean isPublic(Class<?> type) {
        Class<?> outer = type.getEnclosingClass();
        return Modifier.isPublic(type.getModifiers()) && (outer == null || isPublic(outer));
    }

    /** With another type of the list, or in the JDK's documentation. */
    private static boolean isMentionedElsewhere(Class<?> declaring, Class<?> type) {
        return declaring != type && (isPublic(declaring) || !declaring.getName().startsWith("dev.percpu."));
    }

    private static String nameOf(Class<?> type) {
        @Nullable Class<?> outer = type.getEnclosingClass();
        return outer == null ? type.getSimpleName() : nameOf(outer) + "." + type.getSimpleName();
    }

    private static String parametersOf(Executable method) {
        return Arrays.stream(method.getParameterTypes())
                .map(Class::getSimpleName)
                .collect(joining(", ", "(", ")"));
    }

    /** As of a method of any type: which subtype a call names is of no interest. */
    private static String withoutType(String method) {
        String name = method.substring(0, method.indexOf('('));
        return name.startsWith("new ") ? method : method.substring(name.lastIndexOf('.') + 1);
    }

    private static Set<String> calledByTheHarness() throws IOException, URISyntaxException {
        Path classes = Path.of(Operations.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI())
                .resolve(Operations.class.getPackageName().replace('.', '/'));
        Set<String> called = new TreeSet<>();
        try (Stream<Path> files = Files.list(classes)) {
            for (Path file : files.toList()) {
                ClassFile.of().parse(file).constantPool().forEach(entry -> {
                    if (entry instanceof MemberRefEntry member
                            && member.type().stringValue().startsWith("(")) {
                        called.add(callOf(member));
                    }
                });
            }
        }
        return called;
    }

    private static String callOf(MemberRefEntry member) {
        String parameters = MethodTypeDesc.ofDescriptor(member.type().stringValue()).parameterList().stream()
                .map(parameter -> simple(parameter.displayName()))
                .collect(joining(", ", "(", ")"));
        return member.name().equalsString("<init>")
                ? "new " + simple(member.owner().asInternalName()) + parameters
                : member.name().stringValue() + parameters;
    }

    private static String simple(String name) {
        return name.substring(Math.max(name.lastIndexOf('$'), name.lastIndexOf('/')) + 1);
    }
}
