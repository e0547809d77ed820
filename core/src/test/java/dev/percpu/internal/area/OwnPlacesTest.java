package dev.percpu.internal.area;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.testing.Garbage;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.Workers;
import java.lang.ref.WeakReference;
import java.lang.reflect.Field;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Who gets a place of its own, when it goes to another thread, and what keeps whom alive. */
class OwnPlacesTest {
    @Test
    void aThreadThatIsHotGetsAPlaceAndKeepsIt() throws InterruptedException {
        HotThread.run(place -> {
            assertThat(IntStream.range(0, OwnPlaces.count()).mapToLong(OwnPlaces::offset))
                    .contains(place);
            for (int i = 0; i < 5_000; i++) {
                assertThat(OwnPlaces.mine()).isEqualTo(place);
            }
        });
        assertThat(OwnPlaces.count()).isBetween(1, OwnPlaces.COUNT);
    }

    @Test
    void aVirtualThreadNeverHasOne() throws InterruptedException {
        Workers.runVirtual(4, _ -> {
            for (int i = 0; i < 100_000; i++) {
                OwnPlaces.missed();
                assertThat(OwnPlaces.hasMine()).isFalse();
            }
        });
    }

    @Test
    void anOffsetTellsTheIndexOfItsPlace() {
        for (int index = 0; index < OwnPlaces.COUNT; index++) {
            assertThat(OwnPlaces.index(OwnPlaces.offset(index))).isEqualTo(index);
        }
    }

    /** What makes an offset one that the JIT compiler need not check does not change it. */
    @Test
    void noOffsetOfAPlaceIsChanged() {
        for (int place = 0; place < Area.FIRST_OWN + OwnPlaces.COUNT; place++) {
            for (long position = 0; position < Area.STRIDE; position = position * 2 + Long.BYTES) {
                assertIsUnchanged(Area.offset(place, position));
                assertIsUnchanged(Area.gate(position));
            }
        }
    }

    private static void assertIsUnchanged(long offset) {
        assertThat(Area.within(offset)).isEqualTo(offset);
    }

    /** Neither two places nor a place and that of the gates have a byte in common, and all are in the area. */
    @Test
    void placesDoNotOverlap() {
        LongStream.Builder begins = LongStream.builder().add(Area.gate(0));
        for (int place = 0; place < Area.FIRST_OWN + OwnPlaces.COUNT; place++) {
            begins.add(Area.offset(place, 0));
        }
        long end = 0;
        for (long begin : begins.build().sorted().toArray()) {
            assertThat(begin).isGreaterThanOrEqualTo(end);
            end = begin + Area.STRIDE;
        }
        assertThat(end).isLessThanOrEqualTo(Area.offset(0, 0) + Area.reservedBytes());
    }

    @Test
    void threadsOneAfterTheOtherAllGetOne() throws InterruptedException {
        oneAfterTheOther();
    }

    private static void oneAfterTheOther() throws InterruptedException {
        Set<Long> places = ConcurrentHashMap.newKeySet();
        for (int i = 0; i < 4 * OwnPlaces.COUNT; i++) {
            HotThread.run(places::add);
        }
        assertThat(places).hasSizeBetween(1, OwnPlaces.COUNT);
        assertThat(OwnPlaces.count()).isLessThanOrEqualTo(OwnPlaces.COUNT);
    }

    /** In a JVM of its own, where no other thread is hot. */
    static final class Taken {
        public static void main(String[] arguments) throws InterruptedException {
            int before = OwnPlaces.taken();
            int[] meanwhile = new int[2];
            HotThread.run(_ -> {
                meanwhile[0] = OwnPlaces.taken();
                try {
                    HotThread.run(_ -> meanwhile[1] = OwnPlaces.taken());
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            System.out.println(before + " " + meanwhile[0] + " " + meanwhile[1] + " " + OwnPlaces.taken());
        }
    }

    @Test
    void aPlaceIsTakenAsLongAsItsThreadLives() {
        assertThat(Jvm.asHere().run(Taken.class).output()).isEqualTo("0 1 2 0\n");
    }

    /** Each waits for the others, so that all live at the same time. */
    @Test
    void noTwoLivingThreadsHaveTheSamePlaceAndThereAreNoMoreThanTheBound() throws InterruptedException {
        int threads = OwnPlaces.COUNT + 8;
        Set<Long> places = ConcurrentHashMap.newKeySet();
        AtomicInteger owners = new AtomicInteger();
        CountDownLatch all = new CountDownLatch(threads);
        Workers.run("crowd-", threads, _ -> {
            long place = HotThread.NO_PLACE;
            for (int calls = 0; calls < 200_000 && place == HotThread.NO_PLACE; calls++) {
                OwnPlaces.missed();
                place = HotThread.myPlace();
            }
            if (place != HotThread.NO_PLACE) {
                owners.incrementAndGet();
                places.add(place);
            }
            all.countDown();
            Workers.await(all);
            assertThat(HotThread.myPlace()).isEqualTo(place);
        });
        assertThat(owners.get()).isBetween(1, OwnPlaces.COUNT);
        assertThat(places).hasSize(owners.get());
    }

    /** With as many ids as there are rows, two threads have the same row. */
    @Test
    void twoThreadsWithTheSameSlotDoNotGetEachOthersPlace() throws InterruptedException {
        PerCpuCounter counter = new PerCpuCounter();
        int rows = 16 * Integer.highestOneBit(2 * OwnPlaces.COUNT - 1);
        AtomicInteger wrong = new AtomicInteger();
        HotThread.run(place -> {
            Thread second = withTheRowOf(Thread.currentThread(), rows, () -> {
                for (int i = 0; i < 10_000; i++) {
                    if (HotThread.myPlace() == place) {
                        wrong.incrementAndGet();
                    }
                    counter.add(1);
                }
            });
            second.start();
            for (int i = 0; i < 10_000; i++) {
                counter.add(1);
            }
            Workers.join(second);
        });
        assertThat(wrong).hasValue(0);
        assertThat(counter.sum()).isEqualTo(20_000);
    }

    private static Thread withTheRowOf(Thread first, int rows, Runnable task) {
        Thread second;
        do {
            // Most of these only take an id.
            second = Thread.ofPlatform().unstarted(task);
        } while ((second.threadId() - first.threadId()) % rows != 0);
        return second;
    }

    @Test
    void anEndedOwnerAndItsClassLoaderCanBeCollected() throws InterruptedException {
        WeakReference<?>[] references = new WeakReference<?>[2];
        makeOwner(references);
        Garbage.collectUntil(() -> references[0].refersTo(null) && references[1].refersTo(null));
        // The place of a thread that has been collected is available like any other.
        oneAfterTheOther();
    }

    private static void makeOwner(WeakReference<?>[] references) throws InterruptedException {
        ClassLoader loader = new URLClassLoader(new URL[0], null);
        AtomicLong place = new AtomicLong();
        Thread owner = Thread.ofPlatform().unstarted(() -> place.set(HotThread.tryGetPlace()));
        owner.setContextClassLoader(loader);
        owner.start();
        owner.join();
        if (place.get() == HotThread.NO_PLACE) {
            // Another owner has its row.
            makeOwner(references);
            return;
        }
        references[0] = new WeakReference<>(owner);
        references[1] = new WeakReference<>(loader);
    }

    /** Whatever step of it fails for want of stack, a later attempt of this thread or of another one succeeds. */
    @Test
    void anAttemptThatFailsLeavesAllAsItWas() throws InterruptedException {
        PerCpuCounter counter = new PerCpuCounter();
        for (int i = 0; i < 20; i++) {
            Workers.run("deep-", 1, _ -> {
                for (int round = 0; round < 3; round++) {
                    countToTheEndOfTheStack(counter);
                }
            });
        }
        long before = counter.sum();
        HotThread.run(_ -> counter.increment());
        assertThat(counter.sum()).isEqualTo(before + 1);
    }

    @SuppressWarnings("InfiniteRecursion") // the end of the stack ends it
    private static void countToTheEndOfTheStack(PerCpuCounter counter) {
        try {
            counter.increment();
            countToTheEndOfTheStack(counter);
        } catch (StackOverflowError end) {
            counter.increment();
        }
    }

    /** While another thread gets one, which waits for the allocator. */
    static final class ProbeOfWaiting {
        private ProbeOfWaiting() {}

        public static void main(String[] arguments) throws ReflectiveOperationException, InterruptedException {
            Field allocator = Area.class.getDeclaredField("POSITIONS");
            allocator.setAccessible(true);
            Thread getting = new Thread(HotThread::tryGetPlace);
            Thread other = new Thread(HotThread::tryGetPlace);
            synchronized (allocator.get(null)) {
                getting.start();
                awaitEndOrBlock(getting);
                other.start();
                awaitEndOrBlock(other);
                System.out.println(getting.getState() + ", " + other.getState());
            }
            getting.join();
            other.join();
        }

        private static void awaitEndOrBlock(Thread thread) throws InterruptedException {
            while (thread.isAlive() && thread.getState() != Thread.State.BLOCKED) {
                Thread.sleep(1);
            }
        }
    }

    @Test
    void anUpdateDoesNotWaitForAnotherThreadThatGetsAPlace() {
        assertThat(Jvm.asHere().run(ProbeOfWaiting.class).output()).isEqualTo("BLOCKED, TERMINATED\n");
    }

    @Test
    void thePropertyTakesAWholeNumber() {
        assertThat(OwnPlaces.wanted("0")).isZero();
        assertThat(OwnPlaces.wanted(" 7 ")).isEqualTo(7);
        assertThat(OwnPlaces.wanted("1024")).isEqualTo(1024);
        assertThat(OwnPlaces.wanted(null)).isBetween(4, 256);
        for (String text : new String[] {"", "-1", "1025", "4k", "many", "99999999999"}) {
            assertThatThrownBy(() -> OwnPlaces.wanted(text))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("percpu.places must be a whole number from 0 to 1024")
                    .hasMessageContaining("not '" + text + "'");
        }
    }
}
