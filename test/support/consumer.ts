import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { ConsumerOptions } from "../../bridge/client-side/onvif/notifications.ts";
import { consumerSide } from "../../net/consumers.ts";
import { resolveName } from "../../net/resolve.ts";
import type { Identity } from "../../net/tls.ts";

/** Events may be sent to consumers of the tests, in clear. */
export function toLoopback(): ConsumerOptions {
  const side = consumerSide({ listed: ["127.0.0.1"], cameraInterfaces: [] });
  return { side, resolve: resolveName, plainText: true, ca: undefined };
}

/** One request as it came. */
export interface Notified {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly type: string;
  readonly body: string;
}

/** Somebody who is sent events: plain HTTP of Node.js that knows nothing of ours. */
export interface TestConsumer {
  readonly port: number;
  readonly heard: readonly Notified[];
  /** What requests are answered with from now on; without a number not at all. */
  answer: number | undefined;
  /** The request of that number, from 0, when it is there. */
  request(number: number): Promise<Notified>;
  close(): Promise<void>;
}

export async function startConsumer(o: { readonly identity?: Identity } = {}): Promise<TestConsumer> {
  const heard: Notified[] = [];
  let wake = Promise.withResolvers<void>();
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const body = Buffer.concat(chunks).toString();
      heard.push({ method, path: url, host: headers.host ?? "", type: headers["content-type"] ?? "", body });
      if (consumer.answer !== undefined) response.writeHead(consumer.answer, { Location: "http://127.0.0.1:1/" }).end();
      wake.resolve();
      wake = Promise.withResolvers();
    });
  };
  const server = o.identity === undefined ? createServer(listener) : createTlsServer(o.identity, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const consumer: TestConsumer = {
    port: (server.address() as AddressInfo).port,
    heard,
    answer: 200,
    async request(number) {
      for (;;) {
        const found = heard[number];
        if (found !== undefined) return found;
        await wake.promise;
      }
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return consumer;
}
