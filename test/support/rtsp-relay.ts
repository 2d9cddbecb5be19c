import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { openPortPair, type PortPair } from "../../net/udp.ts";

/** What happens to an RTP packet on its way. `forward` may be called never, late, or more than once. */
export type Mangle = (packet: Buffer, forward: (packet: Buffer) => void) => void;

export interface RtspRelay {
  readonly port: number;
  close(): void;
}

/** The way of one track: from ports of ours to the server's, and from others to the client's. */
interface Path {
  readonly toServer: PortPair;
  readonly toClient: PortPair;
  readonly clientPorts: string;
  serverPorts: readonly [number, number] | undefined;
}

/**
 * A network between an RTSP client and a server that send RTP over UDP: everything goes through, RTP from the server as `mangle`
 * has it. Each SETUP and its answer must come in one piece, as they do on one machine.
 */
export async function startRtspRelay(o: {
  readonly address: string;
  readonly server: { readonly host: string; readonly port: number };
  readonly mangle: Mangle;
}): Promise<RtspRelay> {
  const open = new Set<{ destroy(): unknown }>();
  const listener = createServer((client) => {
    const server = connect({ ...o.server, localAddress: o.address });
    const relayed = new Relayed(client, server, o);
    for (const socket of [client, server]) socket.on("error", () => undefined).on("close", () => relayed.destroy());
    open.add(relayed);
  });
  listener.listen(0, o.address);
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    close() {
      listener.close();
      for (const one of open) one.destroy();
    },
  };
}

class Relayed {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #o: Parameters<typeof startRtspRelay>[0];
  readonly #paths: Path[] = [];
  /** Requests go on in order, though ports take time to open. */
  #turn: Promise<void> = Promise.resolve();

  constructor(client: Socket, server: Socket, o: Parameters<typeof startRtspRelay>[0]) {
    this.#client = client;
    this.#server = server;
    this.#o = o;
    client.on("data", (chunk: Buffer) => {
      this.#turn = this.#turn.then(
        async () => void server.write(await this.#asked(chunk.toString("latin1")), "latin1"),
      );
    });
    server.on("data", (chunk: Buffer) => void client.write(this.#answered(chunk.toString("latin1")), "latin1"));
  }

  destroy(): void {
    this.#client.destroy();
    this.#server.destroy();
    for (const { toServer, toClient } of this.#paths.splice(0)) for (const pair of [toServer, toClient]) pair.close();
  }

  async #asked(text: string): Promise<string> {
    const [named, clientPorts = ""] = /client_port=(\d+-\d+)/.exec(text) ?? [];
    if (named === undefined) return text;
    const [toServer, toClient] = await Promise.all([openPortPair(this.#o.address), openPortPair(this.#o.address)]);
    this.#connect({ toServer, toClient, clientPorts, serverPorts: undefined });
    return text.replace(named, `client_port=${toServer.ports.join("-")}`);
  }

  #answered(text: string): string {
    const path = this.#paths.at(-1);
    const [named, first, second] = /server_port=(\d+)-(\d+)/.exec(text) ?? [];
    if (named === undefined || path === undefined) return text;
    path.serverPorts = [Number(first), Number(second)];
    return text
      .replace(named, `server_port=${path.toClient.ports.join("-")}`)
      .replace(`client_port=${path.toServer.ports.join("-")}`, `client_port=${path.clientPorts}`);
  }

  #connect(path: Path): void {
    this.#paths.push(path);
    const { toServer, toClient } = path;
    const [rtp, rtcp] = path.clientPorts.split("-").map(Number) as [number, number];
    const { address: client = "" } = { address: this.#client.remoteAddress };
    toServer.rtp.on("message", (packet) =>
      this.#o.mangle(packet, (one) => {
        if (this.#paths.includes(path)) toClient.rtp.send(one, rtp, client, () => undefined);
      }),
    );
    toServer.rtcp.on("message", (packet) => toClient.rtcp.send(packet, rtcp, client, () => undefined));
    toClient.rtcp.on("message", (packet) => {
      if (path.serverPorts !== undefined)
        toServer.rtcp.send(packet, path.serverPorts[1], this.#o.server.host, () => undefined);
    });
  }
}
