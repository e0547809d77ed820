package dev.percpu.testing;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.ObjectStreamClass;
import java.io.ObjectStreamConstants;
import java.io.UncheckedIOException;

/** Writes objects into streams and reads them back. */
public final class Serialization {
    private Serialization() {}

    /** What comes out of a stream that the object was written to. */
    @SuppressWarnings({"unchecked", "BanSerializableRead"})
    public static <T> T copy(T object) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream stream = new ObjectOutputStream(bytes)) {
            stream.writeObject(object);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        try (ObjectInputStream stream = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            return (T) stream.readObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }

    /** Reads a stream that holds an object of the class without fields and without superclasses: a forged one. */
    @SuppressWarnings("BanSerializableRead")
    public static Object fromFields(Class<?> type) throws IOException, ClassNotFoundException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream stream = new DataOutputStream(bytes);
        stream.writeShort(ObjectStreamConstants.STREAM_MAGIC);
        stream.writeShort(ObjectStreamConstants.STREAM_VERSION);
        stream.writeByte(ObjectStreamConstants.TC_OBJECT);
        stream.writeByte(ObjectStreamConstants.TC_CLASSDESC);
        stream.writeUTF(type.getName());
        stream.writeLong(ObjectStreamClass.lookup(type).getSerialVersionUID());
        stream.writeByte(ObjectStreamConstants.SC_SERIALIZABLE);
        stream.writeShort(0);
        stream.writeByte(ObjectStreamConstants.TC_ENDBLOCKDATA);
        stream.writeByte(ObjectStreamConstants.TC_NULL);
        try (ObjectInputStream input = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            return input.readObject();
        }
    }
}
