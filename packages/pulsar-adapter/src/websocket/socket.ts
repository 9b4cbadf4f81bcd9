import type { IncomingMessage as HttpResponse } from 'node:http';
import type { BentoError } from '@bento-bus/core';
import { type RawData, WebSocket } from 'ws';
import { HttpFailure, toBentoError } from '../errors.ts';
import type { TlsMaterial } from '../security/tls.ts';

export interface SocketOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsMaterial;
  /** For the handshake. Milliseconds. */
  readonly timeoutMs: number;
  /** A connection that answers no ping for this long is given up: half-open. Milliseconds. */
  readonly heartbeatMs: number;
  /** For error texts: `publish to "orders"`. */
  readonly what: string;
  /** May come before the opening has resolved. */
  readonly onMessage: (text: string, socket: Socket) => void;
  readonly onClose: (error: BentoError) => void;
}

export interface Socket {
  send(text: string): void;
  /** Sends what is queued, then closes; cut off after a bound. Never rejects. */
  close(): Promise<void>;
}

/** How long the other side may take to answer a close. */
const closeMs = 2_000;

/** Opens a socket. Rejects with a `BentoError`; later faults come by `onClose`, once. */
export function openSocket(options: SocketOptions): Promise<Socket> {
  const { url, headers, tls, timeoutMs, heartbeatMs, what, onMessage, onClose } = options;
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { ...tls, headers, handshakeTimeout: timeoutMs, perMessageDeflate: false });
    let opened = false;
    let closing: Promise<void> | undefined;
    let heartbeat: NodeJS.Timeout | undefined;
    let cause: unknown;
    let alive = true;

    const handle: Socket = {
      send: (text) => {
        // A socket that closes reports it by itself.
        if (socket.readyState === WebSocket.OPEN) socket.send(text);
      },
      close: () =>
        (closing ??= (async () => {
          socket.close();
          const cut = setTimeout(() => socket.terminate(), closeMs);
          await settled;
          clearTimeout(cut);
        })()),
    };
    const beat = (): void => {
      if (!alive) {
        cause = new Error(`no answer for ${heartbeatMs} ms`);
        socket.terminate();
        return;
      }
      alive = false;
      socket.ping();
    };
    const settled = new Promise<void>((gone) => {
      socket.on('close', (code) => {
        clearInterval(heartbeat);
        gone();
        if (closing !== undefined) return;
        const error = toBentoError(cause ?? new Error(`the connection was closed with code ${code}`), what);
        if (opened) onClose(error);
        else reject(error);
      });
    });
    socket.on('unexpected-response', (_, response) => {
      void refuse(response);
    });
    const refuse = async (response: HttpResponse): Promise<void> => {
      cause = new HttpFailure(response.statusCode ?? 0, await readAll(response));
      socket.terminate();
    };
    socket.on('error', (error) => {
      cause ??= error;
    });
    socket.on('pong', () => {
      alive = true;
    });
    socket.on('message', (data) => {
      alive = true;
      onMessage(textOf(data), handle);
    });
    socket.on('open', () => {
      opened = true;
      heartbeat = setInterval(beat, heartbeatMs / 2);
      heartbeat.unref();
      resolve(handle);
    });
  });
}

/** One buffer, unless the binary type is changed. */
const textOf = (data: RawData): string => (data as Buffer).toString();

async function readAll(response: HttpResponse): Promise<string> {
  let text = '';
  try {
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > 20_000) break;
    }
  } catch {
    // What was read must do.
  }
  return text;
}
