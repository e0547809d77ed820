package dev.percpu.internal.jfr;

import dev.percpu.listing.Variable;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Period;
import jdk.jfr.StackTrace;

/** The total of one value of a named variable, from time to time. */
@Name("dev.percpu.Variable")
@Label("Per-CPU Variable")
@Category("Percpu")
@Description("The total of one value of a named variable or structure")
@Period("10 s")
@StackTrace(false)
final class VariableEvent extends Event {
    @Label("Variable")
    String variable;

    @Label("Serial Number")
    @Description("Tells variables of one name apart")
    long serial;

    @Label("Type")
    String type;

    @Label("Value")
    @Description("Which of the variable's values it is")
    String value;

    @Label("Total")
    double total;

    @Label("Integer")
    @Description("The total, exactly, if it is an integer; otherwise the total without its fraction")
    long integer;

    @Label("Failure")
    @Description("The class of the exception that reading the variable threw; empty if there was none")
    String failure;

    VariableEvent(Variable variable, String value, Number total, String failure) {
        this.variable = variable.name();
        this.serial = variable.serial();
        this.type = variable.type();
        this.value = value;
        this.total = total.doubleValue();
        this.integer = total.longValue();
        this.failure = failure;
    }
}
