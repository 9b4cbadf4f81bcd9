import { isIP } from 'node:net';
import { BentoError } from '@bento-bus/core';
import { Connection, type ConnectionOptions, saslHandshakeV1 } from '@platformatic/kafka';
import { speaksTls } from '../kafkajs/security.ts';
import type { ResolvedOptions } from '../options.ts';
import { type KafkaConnection, tlsOf } from '../security.ts';
import { noteEnd } from './ends.ts';
import { ClientError, faultOf } from './faults.ts';

/** Where a broker listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Connections by address, opened when they are asked for first and forgotten when they end. */
export class Connections {
  readonly #options: ResolvedOptions;
  readonly #timeoutMs: number;
  readonly #open = new Map<string, Promise<Connection>>();
  readonly #all = new Set<Connection>();
  #closed = false;

  /** An answer must come within `timeoutMs`. */
  constructor(options: ResolvedOptions, timeoutMs: number) {
    this.#options = options;
    this.#timeoutMs = timeoutMs;
  }

  get({ host, port }: Address): Promise<Connection> {
    const at = `${host}:${port}`;
    let opening = this.#open.get(at);
    if (opening === undefined) {
      opening = this.#connect(host, port);
      this.#open.set(at, opening);
      const forget = (): void => {
        if (this.#open.get(at) === opening) this.#open.delete(at);
      };
      opening.then((connection) => connection.once('close', forget), forget);
    }
    return opening;
  }

  /** What a broker that has hung up demands and was not given, as far as it can be found out by asking it. */
  async demandOf({ host, port }: Address): Promise<ClientError | undefined> {
    const { ssl = false, sasl } = this.#options.connection;
    if (ssl === false && (await speaksTls(host, port)))
      return new ClientError('TLS_MISSING', 'The broker speaks TLS only', false);
    if (sasl !== undefined) return undefined;
    try {
      const { mechanisms: found } = await saslHandshakeV1.api.async(await this.get({ host, port }), 'PLAIN');
      return credentialsMissing(found);
    } catch (error) {
      const { response } = error as { readonly response?: { readonly mechanisms?: readonly string[] } };
      return response?.mechanisms && credentialsMissing(response.mechanisms);
    }
  }

  /** At once: what is under way is rejected. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#all) {
      connection.close(() => {});
      // It would wait for what is not written yet.
      (connection.socket as typeof connection.socket | undefined)?.destroy();
    }
  }

  async #connect(host: string, port: number): Promise<Connection> {
    if (this.#closed)
      throw new BentoError(
        'CLOSED',
        `kafka-adapter: cannot reach "${host}:${port}": this client is closed. Make a new one.`,
      );
    const { clientId, requestTimeoutMs, connection: given } = this.#options;
    const connection = new Connection(clientId, {
      connectTimeout: Math.min(5_000, requestTimeoutMs),
      requestTimeout: this.#timeoutMs,
      ...securityOf(given, host),
    });
    this.#all.add(connection);
    // Whoever waits is told that it was closed, and without a listener the event would end the process.
    connection.on('error', (error) => noteEnd(connection, error));
    connection.on('close', () => this.#all.delete(connection));
    return new Promise((resolve, reject) => {
      void connection.connect(host, port, (error) => {
        if (error) {
          this.#all.delete(connection);
          reject(faultOf(error));
        } else resolve(connection);
      });
    });
  }
}

const credentialsMissing = (found: readonly string[]): ClientError =>
  new ClientError('CREDENTIALS_MISSING', `The broker demands credentials, by ${found.join(' or ')}`, false);

/** TLS and SASL of one connection. */
const securityOf = ({ ssl, sasl }: KafkaConnection, host: string): ConnectionOptions => ({
  ...(ssl && { tls: { ...(isIP(host) === 0 && { servername: host }), ...(ssl === true ? {} : tlsOf(ssl)) } }),
  ...(sasl && {
    sasl: { mechanism: mechanisms[sasl.mechanism], username: sasl.username, password: sasl.password },
  }),
});

const mechanisms = { plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512' } as const;
