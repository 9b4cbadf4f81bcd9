import { BentoError, type Transport } from '@bento-bus/core';

/** Makes the transport of one backend out of what the application gives; usually an import and one call. */
export type BackendLoader<Options> = (options: Options) => Promise<Transport>;

/** Options of {@link createRuntime}. */
export interface RuntimeOptions<Options> {
  /** Name of the backend, from configuration (`MESSAGE_BUS_TYPE`). */
  readonly backend: string;
  /** Loaders by name: bundlers and strict installers see the imports, and only the chosen one is loaded. */
  readonly backends: Readonly<Record<string, BackendLoader<Options>>>;
}

/** The chosen backend. */
export interface Runtime<Options> {
  readonly backend: string;
  /** Loads the backend's package and makes its transport; the caller closes it (a container does). */
  createTransport(options: Options): Promise<Transport>;
}

/**
 * Picks a backend by name. Throws `CONFIGURATION` at once for an unknown name: `Unsupported message bus type: "x"; known: …`;
 * `createTransport` throws it when the backend's package is not installed, and says what to install.
 */
export function createRuntime<Options = void>({ backend, backends }: RuntimeOptions<Options>): Runtime<Options> {
  const load = Object.hasOwn(backends, backend) ? backends[backend] : undefined;
  if (load === undefined) {
    throw new BentoError(
      'CONFIGURATION',
      `Unsupported message bus type: "${backend}"; known: ${Object.keys(backends).join(', ')}`,
    );
  }
  return {
    backend,
    createTransport: async (options) => {
      try {
        return await load(options);
      } catch (error) {
        throw missingPackage(error, backend) ?? error;
      }
    },
  };
}

function missingPackage(error: unknown, backend: string): BentoError | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error) || error.code !== 'ERR_MODULE_NOT_FOUND')
    return undefined;
  const name = /Cannot find package '([^']+)'/.exec('message' in error ? String(error.message) : '')?.[1];
  if (name === undefined) return undefined;
  return new BentoError(
    'CONFIGURATION',
    `runtime: cannot load the backend "${backend}": the package ${name} is not installed. Run: npm install ${name}`,
    false,
    { cause: error },
  );
}
