import type { MessagingAdmin } from '@bento-bus/core';
import { respond } from '@bento-bus/dispatcher';
import { createKafkaAdmin } from '@bento-bus/kafka-adapter';
import { createPulsarAdmin } from '@bento-bus/pulsar-adapter';
import { expect, it } from '@jest/globals';
import type { Backend } from '../support/backends.ts';
import { numbersOn } from './catalogue.ts';
import { openBus, openRequests, requestScenarios, survivorScenarios } from './scenarios.ts';

function openAdmin({ environment }: Backend): MessagingAdmin {
  const {
    DELIVERY_KAFKA: brokers = '',
    DELIVERY_PULSAR: webUrl = '',
    DELIVERY_PULSAR_SERVICE: serviceUrl = '',
  } = environment;
  return brokers === '' ? createPulsarAdmin({ webUrl, serviceUrl }) : createKafkaAdmin({ brokers: [brokers] });
}

/** Requests on a broker; `count` of each of two requesters. */
export function brokerRequestScenarios(backend: Backend, count: number): void {
  const { name } = backend;
  requestScenarios(backend, 4_000);
  survivorScenarios(backend, count);

  it('makes the reply topic with an admin, and deletes it on close', async () => {
    await using admin = openAdmin(backend);
    const definition = numbersOn(backend.topic());
    const responder = await openBus(backend);
    await respond(responder, definition, ({ data: { from, number } }) => ({ from, number, by: 'one' }), {
      group: 'numbers',
    });
    const replyTopic = `bento-reply-${name}-own`;
    const bus = await openRequests(backend, { source: name, instance: 'own', admin });
    expect(await bus.request(definition, { number: 1 })).toEqual({ from: 'x', number: 1, by: 'one' });
    expect((await admin.describeTopic(replyTopic)).partitions).toHaveLength(1);
    await bus.close();
    await expect(admin.describeTopic(replyTopic)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' });
  }, 60_000);
}
