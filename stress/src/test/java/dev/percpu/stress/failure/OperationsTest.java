package dev.percpu.stress.failure;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which operations are tried in which ways. */
class OperationsTest {
    private static final List<Way> WAYS = Ways.all(FailureRun.Extent.ALL_STEPS);

    private static List<String> waysOf(String operation) {
        return WAYS.stream()
                .filter(way -> way.fits(Operations.named(operation)))
                .map(Way::name)
                .toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"guard acquire", "condition signal, checked", "ref get, hot"})
    void platformThreadsAreTriedInAllWays(String operation) {
        assertThat(waysOf(operation)).hasSize(WAYS.size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"guard acquire, waiting", "condition await, checked"})
    void aFirstUseDoesNotWaitForAnotherThread(String operation) {
        assertThat(waysOf(operation))
                .hasSize((int) WAYS.stream().filter(way -> !way.needsFreshJvm()).count())
                .noneMatch(way -> way.startsWith(FirstUse.NAME));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "guard acquire, virtual",
                "write lock unlock, waited for, virtual",
                "condition signal, virtual",
                "pool timed tryAcquire, found, virtual"
            })
    void noCallIsRefusedToAVirtualThread(String operation) {
        assertThat(waysOf(operation))
                .filteredOn(way -> !way.startsWith(FirstUse.NAME))
                .containsExactly("stack/interpreter", "stack/C1", "stack/C2", "heap", "interrupt");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "guard acquire of a CPU, waiting, virtual",
                "write lock lock, waiting, virtual",
                "condition awaitNanos, virtual",
                "pool timed tryAcquire, all held, virtual",
                "ref killAndAwait, in vain, virtual"
            })
    void aVirtualThreadThatWaitsIsOnlyInterrupted(String operation) {
        assertThat(waysOf(operation)).containsExactly("interrupt");
    }

    @Test
    void onlyAVirtualThreadIsSpared() {
        assertThat(Operations.all().stream().filter(Operation::parksVirtualThread))
                .isNotEmpty()
                .allMatch(operation -> operation.variant() == Variant.VIRTUAL);
    }

    /** The credits of a bounded counter are its CPU's. */
    @Test
    void whatChangesATallyIsTriedByAThreadThatHasAPlaceOfItsOwn() throws Exception {
        List<Operation> operations = Stream.of(CounterTrials.all(), EventTrials.all())
                .flatMap(List::stream)
                .filter(operation -> !operation.name().startsWith("bounded counter "))
                .toList();
        for (Operation operation : operations) {
            if (!(operation.factory().call() instanceof Reading)) {
                assertThat(FailureRun.operationNames()).contains(operation.name() + Variant.HOT.suffix());
            }
        }
    }
}
