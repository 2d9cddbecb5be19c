import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { systemClock } from "../../base/clock.ts";
import { loadIdentity } from "../../net/tls.ts";

/** A server of HTTPS with a certificate of its own in `folder` (`tls-cert.pem`) that publishes what `answer` says. */
export async function keyServer(
  folder: string,
  answer: (response: ServerResponse) => void,
): Promise<{ readonly url: string; close(): void }> {
  const { key, cert } = await loadIdentity(folder, ["127.0.0.1"], systemClock);
  const server = createServer({ key, cert }, (_, response) => answer(response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/certs`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
