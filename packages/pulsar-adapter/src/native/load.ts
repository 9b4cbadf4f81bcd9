import { BentoError } from '@bento-bus/core';
import type { NativeClient } from './client.ts';

/** What is used of the package `pulsar-client`. */
export interface NativeModule {
  readonly Client: new (config: NativeClientConfig) => NativeClient;
  readonly AuthenticationToken: new (params: { token: () => Promise<string> }) => unknown;
  readonly AuthenticationBasic: new (params: { username: string; password: string }) => unknown;
  readonly AuthenticationTls: new (params: { certificatePath: string; privateKeyPath: string }) => unknown;
}

export interface NativeClientConfig {
  serviceUrl: string;
  operationTimeoutSeconds: number;
  authentication?: unknown;
  tlsTrustCertsFilePath?: string;
  tlsCertificateFilePath?: string;
  tlsPrivateKeyFilePath?: string;
  tlsAllowInsecureConnection?: boolean;
  tlsValidateHostname?: boolean;
  log: (level: number, file: string, line: number, message: string) => void;
}

let loading: Promise<NativeModule> | undefined;

/**
 * The package `pulsar-client` with its addon, loaded when it is asked for. Rejects with an `UNSUPPORTED` error where the package is not
 * installed or its addon does not load.
 */
export function loadNative(): Promise<NativeModule> {
  loading ??= (async () => {
    try {
      // Not a literal: bundlers and the compiler must not ask for an optional peer.
      const name = 'pulsar-client';
      const found = (await import(name)) as { readonly default: NativeModule };
      return found.default;
    } catch (cause) {
      const text = String((cause as { message?: unknown } | undefined)?.message ?? cause).split('\n')[0] as string;
      throw new BentoError(
        'UNSUPPORTED',
        `pulsar-adapter: cannot load the native driver: ${text}. Install pulsar-client with its addon, or use driver: 'websocket'.`,
        false,
        { cause },
      );
    }
  })();
  return loading;
}

/** Why the native driver cannot be used; undefined: it can. */
export const nativeUnavailable = (): Promise<string | undefined> =>
  loadNative().then(
    () => undefined,
    (error: BentoError) => error.message,
  );
