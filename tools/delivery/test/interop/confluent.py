# Confluent's Python client: writes or reads values on Kafka, with its own serializers and the registry.
import json
import sys

from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

task = json.load(sys.stdin)
topic = task["topic"]
registry = SchemaRegistryClient({"url": task["registry"]})
context = SerializationContext(topic, MessageField.VALUE)


def message_class():
    """The class of task["schema"]: a list of [package, [[name, [[field, number, type], ...]], ...]], and the name in it."""
    package, messages, name = task["schema"]
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for own, fields in messages:
        message = file.message_type.add(name=own)
        for field, number, kind in fields:
            kinds = descriptor_pb2.FieldDescriptorProto
            message.field.add(name=field, number=number, type=kinds.Type.Value(f"TYPE_{kind}"), label=kinds.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))


def codec():
    kind, schema = task["format"], json.dumps(task.get("schema"))
    if kind == "AVRO":
        return AvroSerializer(registry, schema), AvroDeserializer(registry, schema)
    if kind == "JSON":
        return JSONSerializer(schema, registry), JSONDeserializer(schema)
    cls = message_class()
    write, read = ProtobufSerializer(cls, registry), ProtobufDeserializer(cls, {"use.deprecated.format": False})
    return (
        lambda value, ctx: write(json_format.ParseDict(value, cls()), ctx),
        lambda data, ctx: json_format.MessageToDict(read(data, ctx), preserving_proto_field_name=True),
    )


serialize, deserialize = codec()
if task["action"] == "produce":
    stored = []
    producer = Producer({"bootstrap.servers": task["brokers"]})
    for value in task["values"]:
        producer.produce(topic, key="k", value=serialize(value, context), on_delivery=lambda error, _: stored.append(error is None))
    producer.flush(30)
    print(json.dumps(stored.count(True)))
else:
    consumer = Consumer(
        {"bootstrap.servers": task["brokers"], "group.id": f"python-{topic}", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    values = []
    for _ in range(60):
        if len(values) == task["count"]:
            break
        message = consumer.poll(1.0)
        if message is not None and message.error() is None:
            values.append(deserialize(message.value(), context))
    consumer.close()
    print(json.dumps(values))
