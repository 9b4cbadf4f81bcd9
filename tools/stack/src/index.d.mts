/** How a server is started; all of it optional. */
export interface ServerOptions {
  /**
   * Its data, configuration, log and process record. It is kept when the server stops.
   * @default a fresh folder under `os.tmpdir()`, removed by `stop()` and when this process dies
   */
  readonly dir?: string;
  /**
   * Ports by name, on 127.0.0.1. Kafka: `broker`, `controller`; a cluster: `broker1`, `controller1`, …; Pulsar: `broker`, `web`, `bookie`;
   * registry and ClickHouse: `http`.
   * @default free ones
   */
  readonly ports?: Readonly<Record<string, number>>;
  /** Largest heap, in MiB. @default Kafka 256 (192 each in a cluster), Pulsar 512, registry 256, ClickHouse 1024 (of Node.js) */
  readonly heapMb?: number;
  /** More settings of the server; they override ours. Not for ClickHouse. */
  readonly config?: Readonly<Record<string, string>>;
  /** Told what takes long: a fetch, above all. */
  onProgress?(line: string): void;
  /** @default Pulsar 90,000, Kafka and registry 60,000, ClickHouse 30,000 */
  readonly readyTimeoutMs?: number;
  /** Gives up a start under way, and leaves nothing running. */
  readonly signal?: AbortSignal;
}

/** A server that was started and was ready. It dies with this process, even after SIGKILL, and does not keep it alive. */
export interface Server {
  readonly name: string;
  /** Of the latest process, also when that is gone. */
  readonly pid: number;
  /** Its latest process is there, be it ready or not. */
  readonly running: boolean;
  readonly dir: string;
  readonly endpoints: Readonly<Record<string, string>>;
  /** SIGTERM, and SIGKILL if that takes too long. Idempotent. Removes a folder that was not given. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when the process is gone and its ports are free. Data are kept. */
  kill(): Promise<void>;
  /**
   * Starts it again on the same data and ports, after a clean stop if it runs; resolves when it is ready. Also after `kill()`, and after
   * `stop()` of one whose `dir` was given.
   */
  restart(): Promise<void>;
  /** SIGSTOP: it holds its connections and answers nothing. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
}

/** What went wrong in a line: `stack: cannot start "kafka": <cause>. <what to do>`; below it, if a server died, its last log lines. */
export class StackError extends Error {
  /** `PORT_TAKEN`, or nothing. */
  readonly code?: string;
}

/**
 * Apache Kafka 4.4.0, one node in KRaft mode. Topics are not created by use; groups notice a lost member after 1 s and start without delay.
 * @throws StackError
 */
export function startKafka(options?: ServerOptions): Promise<Server & { readonly brokers: string }>;

/** A cluster: replication factor 3 and 2 in-sync replicas by default. */
export interface KafkaCluster {
  /** All nodes, separated by commas. */
  readonly brokers: string;
  readonly nodes: readonly (Server & { readonly brokers: string })[];
  /** Stops all of it. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Several nodes, each broker and controller. Resolves when all of them serve.
 * @throws StackError
 */
export function startKafkaCluster(
  options?: ServerOptions & {
    /** @default 3 */
    readonly nodes?: number;
  },
): Promise<KafkaCluster>;

/**
 * Apache Pulsar 4.2.4 standalone with its WebSocket service, at `ws://…/ws/v2` of `webUrl`. Ready means that a message went through.
 * @throws StackError
 */
export function startPulsar(
  options?: ServerOptions & {
    /** Sent as a bearer token to learn whether it is ready, where `config` turns authentication on. */
    readonly adminToken?: string;
  },
): Promise<Server & { readonly serviceUrl: string; readonly webUrl: string }>;

/** Who may come in, and who must not. All files are PEM, for this user alone; keys are PKCS#8. */
export interface Security {
  /** Who signed the server's certificate and those of its clients; and somebody whom nobody trusts. */
  readonly ca: string;
  readonly strangerCa: string;
  /** Of `admin`, who may do everything; of `powerless`, who may do nothing. */
  readonly clientCert: string;
  readonly clientKey: string;
  readonly powerlessCert: string;
  readonly powerlessKey: string;
  /** Of `admin` too, to be refused: run out yesterday; signed by the stranger. */
  readonly expiredCert: string;
  readonly expiredKey: string;
  readonly strangerCert: string;
  readonly strangerKey: string;
  readonly admin: { readonly user: string; readonly password: string };
  readonly powerless: { readonly user: string; readonly password: string };
}

/** As {@link Security}, with tokens. */
export interface PulsarSecurity extends Security {
  /** A token of a role. @default role 'admin'; it never expires. Negative seconds: it has expired */
  token(options?: { readonly role?: string; readonly expiresInSeconds?: number }): string;
  /** Of the role 'admin', signed by a key that the server does not know. */
  readonly foreignToken: string;
  /** An issuer of tokens of the role 'admin', in this process until `stop`; `issued` counts them. */
  readonly oauth2: {
    readonly issuerUrl: string;
    readonly tokenUrl: string;
    readonly clientId: string;
    readonly clientSecret: string;
    readonly issued: number;
  };
  /** How long its next tokens last. @default 3,600 */
  oauth2ExpiresInSeconds: number;
}

/**
 * Kafka as {@link startKafka}, with a listener for each way to come in: `ssl` (TLS alone: anybody, with all rights), `mutual` (with a
 * client's certificate), `saslssl` and `saslplain` (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512; with TLS and without). None is open to who has no certificate authority of it; the controller listens on loopback, in the clear.
 * @throws StackError
 */
export function startSecureKafka(options?: ServerOptions): Promise<
  Server & {
    readonly ssl: string;
    readonly mutual: string;
    readonly saslssl: string;
    readonly saslplain: string;
    /** The folder of what `security` names. */
    readonly credentials: string;
    readonly security: Security;
  }
>;

/**
 * Pulsar as {@link startPulsar}, with authentication (token, certificate, user and password) and authorization on all its ports.
 * @throws StackError
 */
export function startSecurePulsar(options?: ServerOptions): Promise<
  Server & {
    readonly serviceUrl: string;
    readonly webUrl: string;
    readonly serviceUrlTls: string;
    readonly webUrlTls: string;
    /** The folder of what `security` names, with `admin.token` and `powerless.token`. */
    readonly credentials: string;
    readonly security: PulsarSecurity;
  }
>;

/**
 * Apicurio Registry 2.6.13. `url` is the base of Confluent's API (`/apis/ccompat/v7`), `webUrl` the server.
 * @throws StackError
 */
export function startRegistry(
  options?: ServerOptions,
): Promise<Server & { readonly url: string; readonly webUrl: string }>;

/**
 * No ClickHouse server: a facade of its HTTP interface over the embedded engine chdb, in a process of its own. Any user and password will do.
 * @throws StackError
 */
export function startClickHouse(
  options?: ServerOptions,
): Promise<Server & { readonly url: string; readonly host: string; readonly port: string }>;

/** Endpoints of servers that `npm run stack -- up` started. */
export interface Endpoints {
  readonly pulsar?: { readonly serviceUrl: string; readonly webUrl: string };
  readonly kafka?: { readonly brokers: string };
  /** The cluster of three. */
  readonly kafka3?: { readonly brokers: string };
  readonly 'pulsar-secure'?: {
    readonly serviceUrl: string;
    readonly webUrl: string;
    readonly serviceUrlTls: string;
    readonly webUrlTls: string;
    /** The folder with certificates, keys, `credentials.json` (users and passwords), `admin.token`, `powerless.token`. */
    readonly credentials: string;
  };
  readonly 'kafka-secure'?: {
    readonly ssl: string;
    readonly mutual: string;
    readonly saslssl: string;
    readonly saslplain: string;
    /** The folder with certificates, keys, and `credentials.json` (users and passwords). */
    readonly credentials: string;
  };
  readonly registry?: { readonly url: string; readonly webUrl: string };
  readonly clickhouse?: { readonly url: string; readonly host: string; readonly port: string };
}

/** What `npm run stack -- up` in the repository at `root` started and still runs. @default this repository */
export function readEndpoints(root?: string): Endpoints;

/**
 * `PULSAR_SERVICE_URL`, `PULSAR_WEB_URL`, `KAFKA_BROKERS` (the single node before the cluster), `CLICKHOUSE_HOST`, `CLICKHOUSE_PORT` and
 * `SCHEMA_REGISTRY_URL`, as far as there is such a server.
 */
export function endpointEnvironment(endpoints: Endpoints): Record<string, string>;
