package dev.percpu.stress.subject;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class GuardsTest {
    @Test
    void whatADyingOwnerSeesFailsTheUse() throws InterruptedException {
        Guards guards = new Guards();
        // The owner will find its variables closed.
        guards.verify();
        // With the number 0, the use is that an owner dies.
        assertThatThrownBy(() -> guards.use(() -> 0))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("closed");
        assertThat(Guards.deadOwners()).isZero();
    }
}
