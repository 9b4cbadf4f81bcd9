# Pulsar's Python client: writes or reads values on Pulsar, with its own schemas.
import json
import sys

import pulsar
from pulsar.schema import AvroSchema, Integer, JsonSchema, Record, String

task = json.load(sys.stdin)


class OrderPlaced(Record):
    _avro_namespace = "shop"
    id = String(required=True)
    total = Integer(required=True)
    note = String()


schema = AvroSchema(None, schema_definition=task["schema"]) if task["format"] == "AVRO" else JsonSchema(OrderPlaced)
client = pulsar.Client(task["serviceUrl"], logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
if task["action"] == "produce":
    producer = client.create_producer(task["topic"], schema=schema)
    for value in task["values"]:
        producer.send(value if task["format"] == "AVRO" else OrderPlaced(**value), partition_key="k")
    print(json.dumps(len(task["values"])))
elif task["action"] == "schema":
    print(json.dumps(OrderPlaced.schema()))
else:
    consumer = client.subscribe(
        task["topic"], "python", schema=schema, initial_position=pulsar.InitialPosition.Earliest
    )
    values = []
    for _ in range(task["count"]):
        message = consumer.receive(timeout_millis=30_000)
        value = message.value()
        values.append(value if isinstance(value, dict) else {k: getattr(value, k) for k in ("id", "total", "note")})
        consumer.acknowledge(message)
    print(json.dumps(values))
client.close()
